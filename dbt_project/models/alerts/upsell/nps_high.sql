{{ nps_answers(moments(), alert_parameters('nps_high', {'nps': 8}), '>=') }}
