{{ fell_to_poor(moments(), 0, 0) }}
