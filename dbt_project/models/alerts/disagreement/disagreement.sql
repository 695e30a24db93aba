{{ disagreements(moments(), alert_parameters('disagreement', {'apart': 0.7})) }}
