{{ feedback_of_kind(moments(), 'price_objection') }}
