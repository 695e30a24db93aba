{{ fell_to_poor(moments(), 1, 2) }}
