{{ disagreements(moments(), alert_parameters('disagreement_wide', {'apart': 0.9})) }}
