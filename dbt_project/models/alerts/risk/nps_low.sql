{{ nps_answers(moments(), alert_parameters('nps_low', {'nps': 5}), '<') }}
