{{ statements_that_mention(
    moments(),
    alert_parameters('workspace_requests', {'phrases': [
        'workspace', 'workspaces', 'second account', 'sub-account', 'sub-accounts', 'another team',
        'several brands'
    ]})
) }}
