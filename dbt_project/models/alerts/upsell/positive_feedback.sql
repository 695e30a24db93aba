{{ feedback_of_kind(moments(), 'praise') }}
