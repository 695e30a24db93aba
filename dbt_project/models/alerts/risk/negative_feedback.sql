{{ feedback_of_kind(moments(), 'complaint') }}
