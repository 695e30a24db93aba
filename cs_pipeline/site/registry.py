"""List the pages and the forms of the site; pages in the order in which the navigation shows them."""

from cs_pipeline.site.form import Form
from cs_pipeline.site.forms import accounts, scores
from cs_pipeline.site.forms import alerts as alert_forms
from cs_pipeline.site.forms import plays as play_forms
from cs_pipeline.site.forms import renewals as renewal_forms
from cs_pipeline.site.page import Page
from cs_pipeline.site.pages import (
    account,
    alert,
    alert_rules,
    alert_silences,
    alerts,
    book,
    data_health,
    kpi,
    kpis,
    messages,
    play,
    plays,
    renewals,
    today,
)

PAGES: tuple[Page, ...] = (
    today.PAGE,
    book.PAGE,
    account.PAGE,
    alerts.PAGE,
    alert_rules.PAGE,
    alert_silences.PAGE,
    alert.PAGE,
    renewals.PAGE,
    plays.PAGE,
    play.PAGE,
    kpis.PAGE,
    kpi.PAGE,
    data_health.PAGE,
    messages.PAGE,
)
FORMS: tuple[Form, ...] = (*accounts.FORMS, *alert_forms.FORMS, *play_forms.FORMS, *renewal_forms.FORMS, *scores.FORMS)
HOME = PAGES[0].path
