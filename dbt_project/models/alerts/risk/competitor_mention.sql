{{ feedback_of_kind(moments(), 'competitor_mention') }}
