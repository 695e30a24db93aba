"""What the templates of each vendor make of a small world of its own, in which everything joins."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.connectors.conftest import Mapped


def column(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    """Values of some columns, moments and days as text without their clock."""
    return [tuple(_plain(row[name]) for name in names) for row in rows]


def _plain(value: Any) -> Any:
    return f"{value:%m-%d %H:%M}" if isinstance(value, datetime) else value


ZENDESK = {
    "organization": "id,name,external_id,created_at\n1,Acme,a,2024-01-01\n2,Bolt,,2024-01-02\n",
    "domain_name": "organization_id,domain_name\n2,bolt.example\n2,bolt2.example\n",
    "user": "id,external_id,email,name,role,organization_id,created_at,updated_at,active,suspended\n"
    "10,u1,ann@acme.example,Ann,end-user,1,2024-01-01,2024-01-01,true,false\n"
    "11,,bob@bolt.example,Bob,end-user,2,2024-01-01,2024-01-01,true,false\n"
    "90,,agent@us.example,Agnes,agent,,2023-01-01,2024-01-01,true,false\n"
    "91,,gone@us.example,Gil,admin,,2023-01-01,2024-02-01,false,false\n",
    "ticket": "id,created_at,updated_at,status,priority,subject,type,organization_id,requester_id,submitter_id,"
    "merged_ticket_ids\n"
    "100,2024-03-01 09:00,2024-03-09,closed,urgent,Down,incident,1,10,10,[101]\n"
    "101,2024-03-01 10:00,2024-03-02,closed,,Down too,,,10,10,[]\n"
    "102,2024-03-02 09:00,2024-03-02,open,low,Call me,question,,11,90,[]\n"
    "103,2024-03-02 09:00,2024-03-02,deleted,low,Spam,,,11,11,[]\n",
    "ticket_comment": "id,ticket_id,user_id,created,public\n"
    "1,100,10,2024-03-01 09:00,true\n2,100,90,2024-03-01 09:10,false\n3,100,90,2024-03-01 09:30,true\n"
    "4,102,90,2024-03-02 09:00,true\n",
    "ticket_field_history": "ticket_id,field_name,updated,value\n"
    "100,status,2024-03-01 09:00,new\n100,status,2024-03-02 09:00,solved\n100,status,2024-03-03 09:00,open\n"
    "100,status,2024-03-05 09:00,solved\n100,status,2024-03-09 09:00,closed\n"
    "100,priority,2024-03-01 09:00,normal\n100,priority,2024-03-01 11:00,urgent\n"
    "100,satisfaction_score,2024-03-06 09:00,offered\n100,satisfaction_score,2024-03-07 09:00,bad\n",
}


def test_zendesk(mapped: Mapped) -> None:
    found = mapped("zendesk", ZENDESK)
    assert column(found["accounts"], "account_id", "account_name", "_domain") == [
        ("2", "Bolt", "bolt.example bolt2.example"),
        ("a", "Acme", None),
    ]
    assert column(found["users"], "user_id", "account_id") == [("u1", "a"), ("zendesk:11", "2")]
    assert [(row["agent_id"], str(row["ended_on"])) for row in found["support_agents"]] == [
        ("zendesk:90", "None"),
        ("zendesk:91", "2024-02-01"),
    ]
    first, second, third = found["tickets"]
    assert column(
        [first], "ticket_id", "account_id", "user_id", "priority", "opened_priority", "first_responded_at",
        "resolved_at", "reopened_at", "csat", "csat_scale", "kind", "is_opened_by_us", "merged_into",
    ) == [
        ("zendesk:100", "a", "u1", "critical", "normal", "03-01 09:30", "03-05 09:00", "03-03 09:00", 0.0, 1.0, "bug",
         False, None)
    ]  # fmt: skip
    assert column([second], "account_id", "priority", "merged_into", "kind") == [("a", "normal", "zendesk:100", None)]
    assert column([third], "account_id", "first_responded_at", "resolved_at", "is_opened_by_us", "_email") == [
        ("2", None, None, True, "bob@bolt.example")
    ]


TICKET = "100,2024-03-01 09:00,2024-03-09,solved,urgent,Down,incident,1,10,10"


@pytest.mark.parametrize(
    ("flavour", "rating"),
    [("airbyte", 'satisfaction_rating\n*,"{""score"": ""good""}"'), ("dlt", "satisfaction_rating__score\n*,good")],
)
def test_zendesk_by_the_names_of_its_interface(mapped: Mapped, flavour: str, rating: str) -> None:
    ticket = "id,created_at,updated_at,status,priority,subject,type,organization_id,requester_id,submitter_id,"
    found = mapped(
        "zendesk",
        {
            "organizations": 'id,name,external_id,created_at,domain_names\n1,Acme,a,2024-01-01,"[""acme.example"", '
            '""acme.test""]"\n',
            "users": ZENDESK["user"],
            "tickets": ticket + rating.replace("*", TICKET),
            "ticket_comments": "id,ticket_id,author_id,created_at,public\n3,100,90,2024-03-01 09:30,true\n",
            "ticket_metrics": "id,ticket_id,solved_at\n1,100,2024-03-05 09:00\n",
        },
        flavour,
    )
    assert column(found["tickets"], "account_id", "user_id", "first_responded_at", "resolved_at", "csat") == [
        ("a", "u1", "03-01 09:30", "03-05 09:00", 1.0)
    ]
    assert found["accounts"][0]["_domain"].split() == ["acme.example", "acme.test"]
    assert len(found["support_agents"]) == 2


def test_stripe_by_airbyte_with_what_is_nested_as_json_and_moments_as_seconds(mapped: Mapped) -> None:
    january, february, march = 1704067200, 1706745600, 1709251200
    found = mapped(
        "stripe",
        {
            "customers": f"id,name,email,created,metadata,address\ncus,Acme,a@acme.example,{january},"
            '"{""account_id"": ""a""}","{""country"": ""FR""}"\n',
            "prices": "id,unit_amount,currency,product,nickname,recurring\n"
            'p,1000,usd,prod,Seat,"{""interval"": ""month"", ""interval_count"": 1, ""usage_type"": ""licensed""}"\n',
            "products": "id,name,metadata\nprod,Suite,{}\n",
            "subscriptions": "id,customer,status,current_period_start,current_period_end,cancel_at_period_end,updated\n"
            f"sub,cus,active,{february},{march},true,{february}\n",
            "subscription_items": "id,subscription,price,quantity,current_period_start,current_period_end\n"
            f'i,sub,"{{""id"": ""p""}}",5,{february},{march}\n',
            "invoice_line_items": "id,invoice_id,subscription,subscription_item,price,quantity,amount,currency,period,"
            "proration,type\n"
            + "".join(
                f'l{start},in,sub,i,"{{""id"": ""p""}}",5,5000,usd,"{{""start"": {start}, ""end"": {end}}}",false,'
                "subscription\n"
                for start, end in ((january, february), (february, march))
            ),
            "invoices": "id,customer,currency,status,created,amount_due,status_transitions\n"
            f'in,cus,usd,paid,{january},5000,"{{""paid_at"": {february}, ""finalized_at"": {january}}}"\n',
        },
        "airbyte",
    )
    assert column(found["accounts"], "account_id", "country", "created_at") == [("a", "FR", "01-01 00:00")]
    assert [
        (row["account_id"], row["seats"], row["mrr"], f"{row['started_on']}", f"{row['ended_on']}", row["product"])
        for row in found["subscriptions"]
    ] == [("a", "5", 50.0, "2024-01-01", "2024-03-01", "Suite")]
    assert column(found["invoices"], "account_id", "amount", "paid_at") == [("a", 50.0, "02-01 00:00")]


def test_intercom(mapped: Mapped) -> None:
    since = "_fivetran_active,_fivetran_start,updated_at"
    found = mapped(
        "intercom",
        {
            "company_history": f"id,company_id,name,created_at,remote_created_at,plan_name,size,website,{since}\n"
            "c1,a,Acme,2024-02-01,2024-01-01,Pro,40,www.acme.example,true,2024-02-01,2024-02-01\n"
            "c1,a,Acme (old),2024-02-01,2024-01-01,Free,40,,false,2024-02-01,2024-02-01\n",
            "contact_history": "id,external_id,email,name,role,created_at,signed_up_at,unsubscribed_from_emails,"
            f"{since}\nk1,u1,ann@acme.example,Ann,user,2024-02-01,2024-01-05,true,true,2024-05-01,2024-05-01\n"
            "k2,,lead@web.example,,lead,2024-02-01,,false,true,2024-05-01,2024-05-01\n",
            "contact_company_history": "contact_id,company_id,contact_updated_at,_fivetran_active\n"
            "k1,c1,2024-02-01,true\n",
            "conversation_history": "id,created_at,updated_at,state,priority,source_subject,source_delivered_as,"
            "source_author_id,source_author_type,first_contact_reply_created_at,conversation_rating_value,"
            "_fivetran_active\n"
            "1,2024-03-01 09:00,2024-03-03,closed,priority,Help,customer_initiated,k1,user,2024-03-01 09:00,4,true\n"
            "2,2024-03-01 09:00,2024-03-03,open,not_priority,News,campaigns_initiated,90,admin,,,true\n"
            "3,2024-03-01 09:00,2024-03-03,open,not_priority,Hi,admin_initiated,90,admin,,,true\n",
            "conversation_part_history": "conversation_id,created_at,part_type,author_type,_fivetran_active\n"
            "1,2024-03-01 09:20,note,admin,true\n1,2024-03-01 09:40,comment,admin,true\n"
            "1,2024-03-02 09:00,close,admin,true\n",
            "conversation_contact_history": "conversation_id,contact_id,_fivetran_active\n3,k1,true\n",
        },
    )
    assert column(found["accounts"], "account_id", "account_name", "created_at", "plan", "employee_count") == [
        ("a", "Acme", "01-01 00:00", "Pro", 40)
    ]
    assert column(found["users"], "user_id", "account_id", "created_at", "unsubscribed_at") == [
        ("u1", "a", "01-05 00:00", "05-01 00:00")
    ]
    assert column(
        found["tickets"], "ticket_id", "account_id", "user_id", "priority", "first_responded_at", "resolved_at",
        "csat", "csat_scale", "is_opened_by_us",
    ) == [
        ("intercom:1", "a", "u1", "high", "03-01 09:40", "03-02 09:00", 4.0, 5.0, False),
        ("intercom:3", "a", "u1", "normal", None, None, None, None, True),
    ]  # fmt: skip


def test_hubspot(mapped: Mapped) -> None:
    found = mapped(
        "hubspot",
        {
            "company": "id,is_deleted,property_name,property_createdate,property_account_id,property_domain,"
            "property_hubspot_owner_id,property_hs_parent_company_id,property_lifecyclestage,property_timezone\n"
            "1,false,Acme,2024-01-01,a,acme.example,7,2,customer,america_slash_new_york\n"
            "2,false,Group,2024-01-01,g,group.example,7,,customer,\n"
            "3,false,Prospect,2024-01-01,,p.example,7,,lead,\n4,true,Deleted,2024-01-01,,d.example,7,,customer,\n",
            "owner": "owner_id,email\n7,csm@us.example\n",
            "contact": "id,property_email,property_firstname,property_lastname,property_createdate,"
            "property_associatedcompanyid,property_hs_email_optout,property_lastmodifieddate,_fivetran_deleted\n"
            "5,ann@acme.example,Ann,Arbor,2024-01-02,1,true,2024-04-01,false\n"
            "6,bob@other.example,Bob,,2024-01-02,,,2024-04-01,false\n",
            "ticket": "id,property_createdate,property_hs_ticket_priority,property_hs_ticket_category,"
            "property_first_agent_reply_date,property_closed_date,property_subject,is_deleted\n"
            "8,2024-03-01,URGENT,BILLING_ISSUE,2024-03-02,2024-03-03,Invoice,false\n",
            "ticket_company": "ticket_id,company_id\n8,1\n",
            "ticket_contact": "ticket_id,contact_id\n8,5\n",
            "engagement": "id,type,owner_id\n20,MEETING,7\n21,CALL,7\n22,MEETING,7\n",
            "engagement_meeting": "engagement_id,start_time,meeting_outcome,title\n"
            "20,2024-03-01 10:00,NO_SHOW,QBR with Acme\n22,2024-03-02 10:00,CANCELED,Training\n",
            "engagement_call": "engagement_id,property_hs_timestamp,property_hs_call_title\n21,2024-03-03 10:00,\n",
            "engagement_company": "engagement_id,company_id\n20,1\n",
            "engagement_contact": "engagement_id,contact_id\n21,5\n",
            "email_event": "id,type,created,recipient,email_campaign_id,sent_by_id,filtered_event\n"
            "e1,SENT,2024-03-01,ann@acme.example,9,,false\ne2,OPEN,2024-03-02,ann@acme.example,9,e1,false\n"
            "e3,OPEN,2024-03-02,ann@acme.example,9,e1,true\ne4,BOUNCE,2024-03-02,x@acme.example,9,e0,false\n"
            "e5,BOUNCE,2024-03-02,y@acme.example,9,e0,false\ne6,STATUSCHANGE,2024-03-02,ann@acme.example,9,,false\n"
            "e7,PROCESSED,2024-03-02,ann@acme.example,9,,false\n",
            "email_event_bounce": "id,category\ne4,UNKNOWN_USER\ne5,MAILBOX_FULL\n",
            "email_event_status_change": "id,portal_subscription_status\ne6,UNSUBSCRIBED\n",
            "email_campaign": "id,name\n9,Spring news\n",
        },
    )
    assert column(found["accounts"], "account_id", "owner_email", "parent_account_id", "timezone") == [
        ("a", "csm@us.example", "g", "america/new_york"),
        ("g", "csm@us.example", None, None),
    ]
    assert column(found["users"], "user_id", "account_id", "full_name", "unsubscribed_at", "_email") == [
        ("hubspot:5", "a", "Ann Arbor", "04-01 00:00", "ann@acme.example"),
        ("hubspot:6", None, "Bob", None, "bob@other.example"),
    ]
    assert column(found["tickets"], "ticket_id", "account_id", "priority", "kind", "resolved_at", "_email") == [
        ("hubspot:8", "a", "critical", "billing", "03-03 00:00", "ann@acme.example")
    ]
    assert column(found["touchpoints"], "touchpoint_id", "account_id", "kind", "held_at", "is_missed", "_email") == [
        ("hubspot:20", "a", "qbr", None, True, None),
        ("hubspot:21", None, "call", "03-03 10:00", False, "ann@acme.example"),
    ]
    assert column(found["email_events"], "email_event_id", "event", "message_id", "campaign") == [
        ("hubspot:e1", "sent", "hubspot:e1", "Spring news"),
        ("hubspot:e2", "open", "hubspot:e1", "Spring news"),
        ("hubspot:e4", "bounce", "hubspot:e0", "Spring news"),
        ("hubspot:e5", "soft_bounce", "hubspot:e0", "Spring news"),
        ("hubspot:e6", "unsubscribe", "hubspot:e6", "Spring news"),
    ]


def test_salesforce(mapped: Mapped) -> None:
    found = mapped(
        "salesforce",
        {
            "account": "id,name,type,created_date,number_of_employees,billing_country_code,website,owner_id,parent_id,"
            "account_id_c,is_deleted\n1,Acme,Customer - Direct,2024-01-01,40,FR,acme.example,7,2,a,false\n"
            "2,Group,Customer,2024-01-01,,,,8,,,false\n3,Prospect,Prospect,2024-01-01,,,,7,,,false\n",
            "user": "id,email,manager_id\n7,csm@us.example,8\n8,boss@us.example,\n",
            "contact": "id,account_id,email,name,created_date,last_modified_date,has_opted_out_of_email\n"
            "5,1,ann@acme.example,Ann,2024-01-02,2024-04-01,true\n",
            "event": "id,account_id,who_id,owner_id,subject,start_date_time,no_show_c,is_deleted\n"
            "20,1,5,7,Kick-off,2024-03-01 10:00,false,false\n21,,5,7,Check-in,2024-03-02 10:00,true,false\n"
            "22,1,5,7,Gone,2024-03-02 10:00,false,true\n",
            "task": "id,account_id,who_id,owner_id,subject,completed_date_time,is_closed,type,task_subtype\n"
            "30,1,5,7,Talked,2024-03-04 10:00,true,Call,\n31,1,5,7,Mailed,2024-03-04 10:00,true,Email,\n",
        },
    )
    assert column(found["accounts"], "account_id", "owner_email", "manager_email", "parent_account_id", "country") == [
        ("2", "boss@us.example", None, None, None),
        ("a", "csm@us.example", "boss@us.example", "2", "FR"),
    ]
    assert column(found["users"], "user_id", "account_id", "unsubscribed_at") == [("salesforce:5", "a", "04-01 00:00")]
    assert column(found["touchpoints"], "touchpoint_id", "account_id", "kind", "held_at", "is_missed") == [
        ("salesforce:20", "a", "kickoff", "03-01 10:00", False),
        ("salesforce:21", "a", "check_in", None, True),
        ("salesforce:30", "a", "call", "03-04 10:00", False),
    ]


def test_hubspot_by_airbyte_with_properties_and_lists_of_ids_in_the_row(mapped: Mapped) -> None:
    found = mapped(
        "hubspot",
        {
            "companies": "id,createdAt,archived,properties_name,properties_createdate,properties_account_id,"
            "properties_domain,properties_hubspot_owner_id,properties_hs_parent_company_id,properties_lifecyclestage\n"
            "1,2024-01-01T00:00:00Z,false,Acme,2024-01-01T00:00:00Z,a,acme.example,7,2.000000000,customer\n"
            "2,2024-01-01T00:00:00Z,false,Group,2024-01-01T00:00:00Z,g,group.example,7,,customer\n"
            "3,2024-01-01T00:00:00Z,false,Prospect,2024-01-01T00:00:00Z,,p.example,7,,lead\n",
            "owners": "id,email,userId\n7,csm@us.example,70\n",
            "contacts": "id,properties_email,properties_firstname,properties_lastname,properties_createdate,"
            "properties_associatedcompanyid,properties_hs_email_optout,properties_lastmodifieddate\n"
            "5,ann@acme.example,Ann,Arbor,2024-01-02T00:00:00Z,1.000000000,true,2024-04-01T00:00:00Z\n",
            "tickets": "id,properties_createdate,properties_hs_ticket_priority,properties_hs_ticket_category,"
            "properties_first_agent_reply_date,properties_closed_date,properties_subject,companies,contacts\n"
            '8,2024-03-01T00:00:00Z,URGENT,BILLING_ISSUE,2024-03-02T00:00:00Z,2024-03-03T00:00:00Z,Invoice,"[""1""]",'
            '"[""5""]"\n9,2024-03-01T00:00:00Z,LOW,,,,Hello,,"[""5""]"\n',
            "engagements_meetings": "id,properties_hs_meeting_start_time,properties_hs_meeting_outcome,"
            "properties_hs_meeting_title,properties_hubspot_owner_id,companies,contacts\n"
            '20,2024-03-01T10:00:00Z,NO_SHOW,QBR with Acme,7,"[""1""]",[]\n'
            "22,2024-03-02T10:00:00Z,CANCELED,Training,7,[],[]\n",
            "engagements_calls": "id,properties_hs_timestamp,properties_hs_call_title,contacts\n"
            '21,2024-03-03T10:00:00Z,,"[""5""]"\n',
            "email_events": "id,type,created,recipient,emailCampaignId,sentBy,filteredEvent,category,"
            "portalSubscriptionStatus,_airbyte_extracted_at\n"
            "e1,SENT,1709251200000,ann@acme.example,9,,false,,,2024-03-02T00:00:00Z\n"
            'e2,OPEN,1709337600000,ann@acme.example,9,"{""id"": ""e1""}",false,,,2024-03-02T00:00:00Z\n'
            'e3,OPEN,1709337600000,ann@acme.example,9,"{""id"": ""e1""}",true,,,2024-03-02T00:00:00Z\n'
            "e4,BOUNCE,1709337600000,x@acme.example,9,,false,UNKNOWN_USER,,2024-03-02T00:00:00Z\n"
            "e6,STATUSCHANGE,1709337600000,ann@acme.example,9,,false,,UNSUBSCRIBED,2024-03-02T00:00:00Z\n",
            "campaigns": "id,name\n9,Spring news\n",
        },
        "airbyte",
    )
    assert column(found["accounts"], "account_id", "owner_email", "parent_account_id", "_domain") == [
        ("a", "csm@us.example", "g", "acme.example"),
        ("g", "csm@us.example", None, "group.example"),
    ]
    assert column(found["users"], "user_id", "account_id", "full_name", "unsubscribed_at", "_email") == [
        ("hubspot:5", "a", "Ann Arbor", "04-01 00:00", "ann@acme.example"),
    ]
    assert column(found["tickets"], "ticket_id", "account_id", "priority", "kind", "resolved_at", "_email") == [
        ("hubspot:8", "a", "critical", "billing", "03-03 00:00", "ann@acme.example"),
        ("hubspot:9", None, "low", None, None, "ann@acme.example"),
    ]
    assert column(found["touchpoints"], "touchpoint_id", "account_id", "kind", "held_at", "owner_email", "_email") == [
        ("hubspot:20", "a", "qbr", None, "csm@us.example", None),
        ("hubspot:21", None, "call", "03-03 10:00", None, "ann@acme.example"),
    ]
    assert column(found["email_events"], "email_event_id", "event", "message_id", "campaign", "occurred_at") == [
        ("hubspot:e1", "sent", "hubspot:e1", "Spring news", "03-01 00:00"),
        ("hubspot:e2", "open", "hubspot:e1", "Spring news", "03-02 00:00"),
        ("hubspot:e4", "bounce", "hubspot:e4", "Spring news", "03-02 00:00"),
        ("hubspot:e6", "unsubscribe", "hubspot:e6", "Spring news", "03-02 00:00"),
    ]


@pytest.mark.parametrize(
    ("spelling", "folded"), [("airbyte", False), ("airbyte", True), ("dlt", False)], ids=["3", "2", "dlt"]
)
def test_salesforce_by_the_names_of_its_interface(mapped: Mapped, spelling: str, folded: bool) -> None:
    """`folded`: Airbyte's destination in lower case."""
    names = {
        "Account": "Id,Name,Type,CreatedDate,NumberOfEmployees,BillingCountryCode,Website,OwnerId,ParentId,"
        "Account_Id__c,IsDeleted\n",
        "User": "Id,Email,ManagerId\n",
        "Contact": "Id,AccountId,Email,Name,CreatedDate,LastModifiedDate,HasOptedOutOfEmail\n",
        "Event": "Id,AccountId,WhoId,OwnerId,Subject,StartDateTime,No_Show__c,IsDeleted\n",
    }
    rows = {
        "Account": "001,Acme,Customer - Direct,2024-01-01T09:00:00Z,40,FR,acme.example,005A,002,a,false\n"
        "002,Group,Customer,2024-01-01T09:00:00Z,,,,005B,,g,false\n"
        "003,Gone,Customer,2024-01-01T09:00:00Z,,,,005B,,x,true\n",
        "User": "005A,csm@us.example,005B\n005B,boss@us.example,\n",
        "Contact": "003A,001,ann@acme.example,Ann,2024-01-02T00:00:00Z,2024-04-01T00:00:00Z,true\n",
        "Event": "20,001,003A,005A,Kick-off,2024-03-01T10:00:00Z,false,false\n"
        "21,,003A,005A,Check-in,2024-03-02T10:00:00Z,true,false\n22,001,003A,005A,Gone,2024-03-02T10:00:00Z,,true\n",
    }

    def spelled(name: str) -> str:
        if spelling == "airbyte":
            return name.lower() if folded else name
        return re.sub(r"_+", "_", re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower())

    tables = {"User": "sf_user"} if spelling == "dlt" else {}
    found = mapped(
        "salesforce",
        {
            tables.get(name, spelled(name)): ",".join(map(spelled, names[name].split(","))) + rows[name]
            for name in names
        },
        spelling,
    )
    assert column(found["accounts"], "account_id", "owner_email", "manager_email", "parent_account_id", "country") == [
        ("a", "csm@us.example", "boss@us.example", "g", "FR"),
        ("g", "boss@us.example", None, None, None),
    ]
    assert column(found["users"], "user_id", "account_id", "unsubscribed_at") == [
        ("salesforce:003A", "a", "04-01 00:00")
    ]
    assert column(found["touchpoints"], "touchpoint_id", "account_id", "kind", "held_at", "is_missed") == [
        ("salesforce:20", "a", "kickoff", "03-01 10:00", False),
        ("salesforce:21", "a", "check_in", None, True),
    ]


def test_intercom_by_airbyte_with_moments_as_seconds_and_what_is_nested_as_json(mapped: Mapped) -> None:
    january, march = 1704067200, 1709283600
    found = mapped(
        "intercom",
        {
            "companies": "id,company_id,name,created_at,remote_created_at,plan,size,website\n"
            f'c1,a,Acme,{march},{january},"{{""name"": ""Pro""}}",40,www.acme.example\n',
            "contacts": "id,external_id,email,name,role,created_at,signed_up_at,updated_at,unsubscribed_from_emails,"
            f"companies\nk1,u1,ann@acme.example,Ann,user,{march},{january},{march},true,"
            '"{""data"": [{""id"": ""c1""}], ""type"": ""list""}"\n'
            f"k2,,lead@web.example,,lead,{march},,{march},false,\n",
            "conversations": "id,created_at,updated_at,state,priority,source,first_contact_reply,conversation_rating,"
            "contacts\n"
            f'1,{march},{march + 7200},closed,priority,"{{""subject"": ""Help"", ""delivered_as"": '
            '""customer_initiated"", ""author"": {""id"": ""k1"", ""type"": ""user""}}",'
            f'"{{""created_at"": {march}}}","{{""rating"": 4}}",\n'
            f'3,{march},{march},open,not_priority,"{{""delivered_as"": ""admin_initiated"", ""author"": '
            '{""id"": ""90"", ""type"": ""admin""}}",,,"{""contacts"": [{""id"": ""k1""}]}"\n'
            f'2,{march},{march},open,not_priority,"{{""delivered_as"": ""campaigns_initiated""}}",,,\n',
            "conversation_parts": "conversation_id,created_at,part_type,author\n"
            f'1,{march + 60},comment,"{{""type"": ""admin""}}"\n1,{march + 3600},close,"{{""type"": ""admin""}}"\n',
        },
        "airbyte",
    )
    assert column(found["accounts"], "account_id", "account_name", "created_at", "plan", "employee_count") == [
        ("a", "Acme", "01-01 00:00", "Pro", 40)
    ]
    assert column(found["users"], "user_id", "account_id", "created_at", "unsubscribed_at") == [
        ("u1", "a", "01-01 00:00", "03-01 09:00")
    ]
    assert column(
        found["tickets"], "ticket_id", "account_id", "user_id", "priority", "first_responded_at", "resolved_at",
        "csat", "is_opened_by_us", "subject",
    ) == [
        ("intercom:1", "a", "u1", "high", "03-01 09:01", "03-01 10:00", 4.0, False, "Help"),
        ("intercom:3", "a", "u1", "normal", None, None, None, True, None),
    ]  # fmt: skip


@pytest.mark.parametrize("vendor", ["segment", "rudderstack"])
def test_segment_and_rudderstack(mapped: Mapped, vendor: str) -> None:
    found = mapped(
        vendor,
        {
            "groups": "id,user_id,group_id,name,created_at,timestamp,website\n"
            "g1,u1,a,Acme,2024-01-01,2024-01-05 09:00,acme.example\ng2,u1,b,Bolt,2024-01-02,2024-03-01 09:00,\n"
            "g3,u1,a,Acme Inc,2024-01-01,2024-02-01 09:00,acme.example\n",
            "users": "id,email,name,received_at\nu1,ann@acme.example,Ann,2024-01-05 09:00\nu2,,,2024-01-06 09:00\n",
            "tracks": "id,user_id,event,timestamp,received_at,context_group_id\n"
            "t1,u1,user_logged_in,2024-01-04 09:00,2024-01-04 09:01,\nt1,u1,user_logged_in,2024-01-04 09:00,"
            "2024-01-04 11:00,\nt2,u1,feature_used,2024-03-02 09:00,2024-03-02 09:01,\n"
            "t3,u1,invited,2024-03-02 09:00,2024-03-02 09:01,a\nt4,,visited,2024-03-02 09:00,2024-03-02 09:01,\n",
            "feature_used": "id,event,feature,duration,received_at\nt2,feature_used,export,12.5,2024-03-02 09:01\n",
            "screens": "id,user_id,name,timestamp,received_at\ns1,u1,Settings,2024-02-11 09:00,2024-02-11 09:01\n",
            "pages": "id,user_id,path,timestamp,received_at\np1,u1,/pricing,2024-02-10 09:00,2024-02-10 09:01\n",
        },
    )
    assert column(found["accounts"], "account_id", "account_name", "_domain") == [
        ("a", "Acme Inc", "acme.example"),
        ("b", "Bolt", None),
    ]
    assert column(found["users"], "user_id", "account_id", "created_at") == [
        ("u1", "b", "01-05 09:00"),
        ("u2", None, "01-06 09:00"),
    ]
    assert column(found["events"], "event_id", "account_id", "event_name", "feature", "page", "_loaded_at") == [
        ("p1", "a", "page_view", None, "/pricing", "02-10 09:01"),
        ("s1", "a", "page_view", None, "Settings", "02-11 09:01"),
        ("t1", "a", "login", None, None, "01-04 09:01"),
        ("t2", "b", "feature_used", "export", None, "03-02 09:01"),
        ("t3", "a", "invited", None, None, "03-02 09:01"),
    ]
    assert found["events"][3]["duration_seconds"] == 12.5


def test_recurly(mapped: Mapped) -> None:
    found = mapped(
        "recurly",
        {
            "account_history": "id,code,company,email,created_at,updated_at\n1,a,Acme,ann@acme.example,2024-01-01,"
            "2024-01-01\n1,a,Acme Inc,ann@acme.example,2024-01-01,2024-02-01\n",
            "plan_history": "id,name,interval_unit,interval_length,updated_at\nm,Month,months,1,2024-01-01\n",
            "subscription_history": "id,account_id,plan_id,state,updated_at,activated_at,expires_at,canceled_at,"
            "current_term_started_at,current_term_ends_at,currency,subtotal,quantity,auto_renew,paused_at\n"
            "s,1,m,active,2024-01-10,2024-01-10,,,2024-01-10,2024-02-10,USD,50,5,true,\n"
            "s,1,m,active,2024-02-10,2024-01-10,,,2024-02-10,2024-03-10,USD,50,5,true,\n"
            "s,1,m,active,2024-02-20,2024-01-10,,,2024-02-10,2024-03-10,USD,80,8,true,\n"
            "s,1,m,canceled,2024-03-01,2024-01-10,2024-03-10,2024-03-01,2024-02-10,2024-03-10,USD,80,8,true,\n"
            "s,1,m,active,2024-03-05,2024-01-10,,,2024-02-10,2024-03-10,USD,80,8,true,\n"
            "s,1,m,expired,2024-05-10,2024-01-10,2024-05-10,2024-05-01,2024-04-10,2024-05-10,USD,80,8,true,\n",
            "invoice_history": "id,account_id,type,state,currency,total,created_at,updated_at,due_at,closed_at\n"
            "i1,1,charge,pending,USD,50,2024-01-10,2024-01-10,2024-01-20,\n"
            "i1,1,charge,paid,USD,50,2024-01-10,2024-01-15,2024-01-20,2024-01-15\n"
            "i2,1,credit,closed,USD,10,2024-01-11,2024-01-11,,2024-01-11\n",
        },
    )
    assert column(found["accounts"], "account_id", "account_name", "churned_at") == [("a", "Acme Inc", "05-10 00:00")]
    assert [
        (row["subscription_id"], row["seats"], row["mrr"], str(row["started_on"]), str(row["ended_on"]))
        for row in found["subscriptions"]
    ] == [("s/1", "5", 50.0, "2024-01-10", "2024-02-20"), ("s/2", "8", 80.0, "2024-02-20", "2024-05-10")]
    assert column(found["invoices"], "invoice_id", "amount", "paid_at") == [
        ("i1", 50.0, "01-15 00:00"),
        ("i2", -10.0, "01-11 00:00"),
    ]
    assert column(found["cancellation_requests"], "request_id", "requested_at", "withdrawn_at") == [
        ("s/1", "03-01 00:00", "03-05 00:00"),
        ("s/2", "05-01 00:00", None),
    ]


def test_posthog(mapped: Mapped) -> None:
    found = mapped(
        "posthog",
        {
            "events": "uuid,event,properties,distinct_id,timestamp\n"
            'e1,user logged in,"{""$group_0"": ""a""}",u1,2024-03-01 09:00\n'
            'e2,$pageview,"{""$group_0"": ""a"", ""$pathname"": ""/pricing""}",u1,2024-03-01 09:01\n'
            'e3,$autocapture,{},u1,2024-03-01 09:02\ne4,exported,"{""feature"": ""export""}",u1,2024-03-01 09:03\n',
            "persons": "distinct_id,properties,created_at,person_version\n"
            'u1,"{""email"": ""ann@acme.example"", ""name"": ""Ann""}",2024-01-01,2\nanonymous,{},2024-01-01,1\n',
        },
    )
    assert column(found["events"], "event_id", "account_id", "event_name", "feature", "page") == [
        ("e1", "a", "login", None, None),
        ("e2", "a", "page_view", None, "/pricing"),
        ("e4", None, "exported", "export", None),
    ]
    assert column(found["users"], "user_id", "account_id", "email") == [("u1", "a", "ann@acme.example")]


def test_mixpanel(mapped: Mapped) -> None:
    found = mapped(
        "mixpanel",
        {
            "event": "event_id,insert_id,name,time,distinct_id,properties,current_url\n"
            '1,i1,Sign In,2024-03-01 09:00,d1,"{""account_id"": ""a"", ""user_id"": ""u1""}",\n'
            '2,i1,Sign In,2024-03-01 09:05,d1,"{""account_id"": ""a""}",\n'
        },
    )
    assert column(found["events"], "event_id", "account_id", "user_id", "event_name") == [("i1", "a", "u1", "login")]
    assert found["events"][0]["occurred_at"] == datetime(2024, 3, 1, 9, tzinfo=UTC)
