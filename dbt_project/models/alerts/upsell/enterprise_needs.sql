{{ statements_that_mention(
    moments(),
    alert_parameters('enterprise_needs', {'phrases': [
        'sso', 'single sign-on', 'saml', 'scim', 'audit log', 'data residency', 'sla', 'service level',
        'dedicated instance', 'penetration test'
    ]}),
    "coalesce(accounts.tier, '') != 'enterprise'"
) }}
