"""Rules and alerts.yaml: what is in force, and one sentence with file, line, rule and field for what is wrong."""
# ruff: noqa: E501 (complaints are one sentence, however long)

from datetime import timedelta
from pathlib import Path
from textwrap import dedent

import pytest

from cs_pipeline.alerts.rulebook import FOLDER, Rule, load_rules
from cs_pipeline.alerts.stored_parameters import sync_parameters
from cs_pipeline.dbt_files import read_properties
from cs_pipeline.warehouse.connection import Warehouse
from cs_pipeline.yaml_with_lines import InvalidFile

SQL = (
    "select 1 from {{ alert_parameters('idle', {'days': 10, 'feature': 'export', 'plans': ['a', 'b']}) }} as parameters"
)
PROPERTIES = """\
models:
  - name: idle
    description: Nobody was there.
    config:
      meta:
        requirement: [S1-17]
        alert:
          title: "{entity} is idle"
          type: risk
          polarity: negative
          nature: state
          schedule: daily
          needs_fresh: {events: 2 days}
          audience: not is_bad_fit
          severity: high
          limits: {accounts: 9, share: 0.3}
          notify: {to: owner}
          parameters:
            days: {minimum: 1, maximum: 90, unit: days, meaning: Days without, by_tier: {enterprise: 5}}
            feature: {meaning: Which feature}
            plans: {meaning: Which plans}
"""


class Folder:
    """Rules and a configuration of a test's own."""

    def __init__(self, path: Path) -> None:
        self.rules, self.config = path / "alerts", path / "config"
        (self.rules / "custom").mkdir(parents=True)
        self.config.mkdir(parents=True)
        self.write(PROPERTIES)
        (self.rules / "custom" / "idle.sql").write_text(SQL)

    @property
    def file(self) -> Path:
        return self.rules / "custom" / "_idle.yml"

    def write(self, text: str) -> None:
        self.file.write_text(text)

    def team(self, text: str) -> None:
        (self.config / "alerts.yaml").write_text(dedent(text))

    def load(self) -> dict[str, Rule]:
        return load_rules(self.config, self.rules)

    def complaint(self) -> str:
        with pytest.raises(InvalidFile) as error:
            self.load()
        return str(error.value).replace(f"{self.rules}/custom/", "").replace(f"{self.config}/", "")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_files_of_rules_are_read_again_once_one_of_them_has_changed_and_not_before(
    folder: Folder, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def reading(path: Path) -> object:
        read.append(path)
        return read_properties(path)

    monkeypatch.setattr("cs_pipeline.alerts.rulebook.read_properties", reading)
    assert folder.load()["idle"].alert.severity == "high"
    folder.team("rules: {idle: {severity: urgent}}")
    assert folder.load()["idle"].alert.severity == "urgent"
    assert read == [folder.file]

    folder.write(PROPERTIES.replace("severity: high", "severity: low "))
    (folder.config / "alerts.yaml").unlink()
    assert folder.load()["idle"].alert.severity == "low"
    (folder.file.parent / "idle.sql").write_text(SQL.replace("10", "20"))
    assert folder.load()["idle"].defaults["days"] == 20
    (folder.file.parent / "other.sql").write_text("select 1")
    assert "other.sql: no properties file beside it" in folder.complaint()


def test_every_shipped_rule_can_be_read() -> None:
    rules = load_rules(None)
    assert "invoice_overdue" in rules
    assert {rule.folder for rule in rules.values()} <= {path.name for path in FOLDER.iterdir()}


def test_a_rule_has_its_parameters_by_tier(folder: Folder) -> None:
    (rule,) = folder.load().values()
    assert (rule.name, rule.folder, rule.relation, rule.requirements) == ("idle", "custom", "alerts.idle", ("S1-17",))
    assert rule.defaults == {"days": 10, "feature": "export", "plans": ["a", "b"]}
    assert {tier: values["days"] for tier, values in rule.parameters.items()} == {
        "": 10, "starter": 10, "pro": 10, "enterprise": 5,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("type: risk", "type: risky", "_idle.yml:9: idle: config.meta.alert.type: expected 'onboarding', 'renewal', "),
        ("severity: high", "severty: high", "_idle.yml:15: idle: config.meta.alert.severty: is not a field here; "
         "did you mean severity?"),
        ("schedule: daily", "schedule: dayly", "_idle.yml:12: idle: config.meta.alert.schedule: expected hourly, daily"),
        ("schedule: daily\n", "\n", "_idle.yml:7: idle: config.meta.alert.schedule: is missing"),
        ("{events: 2 days}", "{evnts: 2 days}", "_idle.yml:13: idle: config.meta.alert.needs_fresh.evnts: "
         "is no table of the source contract; did you mean events?"),
        ("2 days", "two days", "_idle.yml:13: idle: config.meta.alert.needs_fresh.events: write a number and a unit"),
        ("not is_bad_fit", "not is_bad_fitt", "_idle.yml:14: idle: config.meta.alert.audience: "),
        ("{entity} is idle", "{entity is idle", "_idle.yml:8: idle: config.meta.alert.title: is not a title"),
        ("nature: state", "nature: event", "_idle.yml:7: idle: config.meta.alert: an event does not resolve, so it "
         "needs expires_after"),
        ("maximum: 90,", "maximum: 9,", "_idle.yml:19: idle: config.meta.alert.parameters.days: the default in the SQL: "
         "expected at most 9, got 10"),
        ("enterprise: 5", "enterprise: 500", "_idle.yml:19: idle: config.meta.alert.parameters.days.by_tier.enterprise: "
         "expected at most 90, got 500"),
        ("enterprise: 5", "gold: 5", "_idle.yml:19: idle: config.meta.alert.parameters.days.by_tier.gold"),
        ("feature: {meaning: Which feature}", "featur: {meaning: Which}", "_idle.yml:20: idle: "
         "config.meta.alert.parameters.featur: is no parameter of the SQL; did you mean feature?"),
        ("notify: {to: owner}", "notify: {to: owner}\n          inhibited_by: [idel]", "_idle.yml: idle: inhibited_by: "
         "there is no rule 'idel'; did you mean idle?"),
        ("notify: {to: owner}", "notify: {to: owner}\n          inhibited_by: [idle]", "_idle.yml: idle: inhibited_by: "
         "idle stands before itself"),
        ("name: idle", "name: idel", "_idle.yml: idel: there is no idel.sql beside it"),
        ("        alert:", "        alrt:", "_idle.yml:5: idle: config.meta.alert: is missing"),
        ("models:", "modles:", "idle.sql: no properties file beside it has its meta.alert"),
        ("nature: state", "nature: [", "_idle.yml:13:22: is not YAML"),
        ("{entity} is idle", "{measured:.0q} idle", "_idle.yml:8: idle: config.meta.alert.title: {measured:.0q} is no "
         "format of a number: write {measured:.0f}"),
        ("meaning: Which plans}\n", "meaning: Which plans}\n    columns:\n      - {name: as_of, data_type: timestamptz}\n",
         "_idle.yml:22: idle: columns: lacks account_id (text), which every rule has"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_rule_is_one_sentence_with_file_line_rule_and_field(
    folder: Folder, old: str, new: str, said: str
) -> None:
    folder.write(PROPERTIES.replace(old, new, 1))
    complaint = folder.complaint()
    assert any(line.startswith(said) for line in complaint.splitlines()), complaint
    assert complaint.count("\n") <= complaint.count("featur") + complaint.count("columns: lacks")


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        (SQL.replace("10", "ten"), "idle.sql:1: alert_parameters: its defaults are not written out, such as {'days': 10}"),
        (SQL.replace("10", "True"), "idle.sql:1: alert_parameters: days: expected a number, a text or a list of texts"),
        (SQL.replace("10", "0.5"), "_idle.yml:19: idle: config.meta.alert.parameters.days: the default in the SQL: "),
        (SQL.replace("'feature': 'export', ", "'feature': 'export', 'more': 1, "), "_idle.yml:18: idle: "
         "config.meta.alert.parameters: says nothing of more, which the SQL has; say its meaning, unit and bounds"),
        (SQL.replace("'idle'", "'idel'"), "idle.sql:1: alert_parameters: is asked for those of 'idel'; this rule is 'idle'"),
        (f"{SQL}\nwhere day < current_date", "idle.sql:2: asks for the present with current_date: ask for moments.as_of, "
         "or a replay of the past sees today"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_parameters_of_the_sql_is_one_sentence(folder: Folder, sql: str, said: str) -> None:
    (folder.rules / "custom" / "idle.sql").write_text(sql)
    assert folder.complaint().startswith(said)


def test_the_present_may_be_spoken_of_in_comments_and_texts(folder: Folder) -> None:
    (folder.rules / "custom" / "idle.sql").write_text(f"-- not now()\n{SQL}\nwhere words = 'current_date'")
    assert list(folder.load()) == ["idle"]


def test_a_title_takes_facts_that_the_sql_has(folder: Folder) -> None:
    sql = SQL.replace("select 1", "select jsonb_build_object('days', f(1, 'a'), 'last_at', max(at)) as facts")
    (folder.rules / "custom" / "idle.sql").write_text(sql)
    folder.write(PROPERTIES.replace("{entity} is idle", "{days} {last_at} {account_name} {held_against:.0%}"))
    assert list(folder.load()) == ["idle"]
    folder.write(PROPERTIES.replace("{entity} is idle", "{entity} since {lst_at:%d}"))
    assert folder.complaint() == (
        "_idle.yml:8: idle: config.meta.alert.title: {lst_at} is neither a column nor a fact of the SQL; "
        "did you mean last_at?"
    )


def test_a_rule_named_twice_is_told_with_both_files(folder: Folder) -> None:
    (folder.rules / "risk").mkdir()
    (folder.rules / "risk" / "_idle.yml").write_text(PROPERTIES)
    (folder.rules / "risk" / "idle.sql").write_text(SQL)
    assert "idle: is the name of a rule in" in folder.complaint()


def test_rules_that_stand_before_each_other_in_a_circle_are_refused(folder: Folder) -> None:
    for name, other in (("idle", "b"), ("b", "c"), ("c", "idle")):
        text = PROPERTIES.replace("name: idle", f"name: {name}").replace(
            "notify:", f"inhibited_by: [{other}]\n          notify:"
        )
        (folder.rules / "custom" / f"_{name}.yml").write_text(text)
        (folder.rules / "custom" / f"{name}.sql").write_text(SQL.replace("idle", name))
    assert "inhibited_by: idle stands before itself" in folder.complaint()


# alerts.yaml --------------------------------------------------------------------------------------------------------


@pytest.mark.requirement("S2-03")
def test_a_team_sets_parameters_by_tier_and_who_is_told_without_touching_sql(folder: Folder) -> None:
    folder.team("""
        rules:
          idle:
            severity: urgent
            schedule: hourly
            notify: {to: sales, else: manager}
            limits: {accounts: 7}
            remind_every: 3 days
            parameters:
              days: {default: 20, by_tier: {pro: 15}}
              plans: [c]
    """)
    (rule,) = folder.load().values()
    assert (rule.alert.severity, rule.alert.schedule, rule.alert.notify.to) == ("urgent", "hourly", "sales")
    assert (rule.alert.limits.accounts, rule.alert.limits.share, rule.is_on) == (7, 0.3, True)
    assert {tier: values["days"] for tier, values in rule.parameters.items()} == {
        "": 20, "starter": 20, "pro": 15, "enterprise": 20,
    }  # fmt: skip
    assert rule.parameters["pro"] == {"days": 15, "feature": "export", "plans": ["c"]}


def test_a_team_switches_a_rule_off(folder: Folder) -> None:
    folder.team("rules: {idle: {enabled: false}}")
    assert [rule.is_on for rule in folder.load().values()] == [False]


@pytest.mark.parametrize(
    ("team", "said"),
    [
        ("rules: {idel: {}}", "alerts.yaml:1: rules.idel: is no alert rule; did you mean idle?"),
        ("rules: {idle: {parameters: {dasy: 3}}}", "alerts.yaml:1: rules.idle.parameters.dasy: is no parameter of idle; "
         "did you mean days?"),
        ("rules: {idle: {parameters: {days: 0}}}", "alerts.yaml:1: rules.idle.parameters.days: expected at least 1, got 0"),
        ("rules:\n  idle:\n    parameters:\n      days:\n        by_tier:\n          pro: 91\n",
         "alerts.yaml:6: rules.idle.parameters.days.by_tier.pro: expected at most 90, got 91"),
        ("rules: {idle: {parameters: {days: many}}}", "alerts.yaml:1: rules.idle.parameters.days: expected a number, got "
         "'many'"),
        ("rules: {idle: {parameters: {plans: a}}}", "alerts.yaml:1: rules.idle.parameters.plans: expected a list of texts"),
        ("rules: {idle: {schedule: never}}", "alerts.yaml:1: rules.idle.schedule: expected hourly, daily, weekly"),
        ("rules: {idle: {severity: loud}}", "alerts.yaml:1: rules.idle.severity: expected 'urgent', 'high'"),
        ("rules: {idle: {enabeld: false}}", "alerts.yaml:1: rules.idle.enabeld: is not a field here; did you mean enabled?"),
        ("rule: {}", "alerts.yaml:1: rule: is not a field here; did you mean rules?"),
    ],
)  # fmt: skip
def test_a_mistake_in_alerts_yaml_is_one_sentence_with_line_rule_and_field(
    folder: Folder, team: str, said: str
) -> None:
    folder.team(team)
    complaint = folder.complaint()
    assert complaint.startswith(said), complaint


def test_parameters_in_force_stand_in_the_warehouse_where_they_differ_from_the_defaults(
    folder: Folder, warehouse: Warehouse
) -> None:
    def stored() -> list[tuple]:
        rules = folder.load()
        with warehouse.session() as session, session.cursor() as cursor:
            sync_parameters(session, {name: (rule.defaults, rule.parameters) for name, rule in rules.items()})
        with warehouse.session() as session, session.cursor() as cursor:
            cursor.execute("select tier, parameters ->> 'days', xmin::text from cs.alert_parameters order by tier")
            return cursor.fetchall()

    first = stored()
    assert [row[:2] for row in first] == [("enterprise", "5")]
    assert stored() == first  # and nothing is written
    folder.team("rules: {idle: {parameters: {days: {by_tier: {pro: 3}}}}}")
    assert [row[:2] for row in stored()] == [("pro", "3")]
    folder.team("rules: {idle: {parameters: {days: 10}}}")
    assert stored() == []


FOLDERS = """\
name: cs_pipeline
models:
  cs_pipeline:
    alerts:
      +meta: {alert: {severity: low, notify: {to: manager}}}
      custom:
        +meta: {alert: {severity: urgent, remind_every: 7 days}}
"""


@pytest.fixture
def below_models(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "models")


def test_a_folder_sets_what_its_rules_do_not_say_themselves(below_models: Folder, tmp_path: Path) -> None:
    (tmp_path / "dbt_project.yml").write_text(FOLDERS)
    own = below_models.load()["idle"].alert
    assert (own.severity, own.notify.to, own.remind_every) == ("high", "owner", timedelta(days=7))
    below_models.write(
        PROPERTIES.replace("          severity: high\n", "").replace("          notify: {to: owner}\n", "")
    )
    taken = below_models.load()["idle"].alert
    assert (taken.severity, taken.notify.to) == ("urgent", "manager")
    (tmp_path / "dbt_project.yml").unlink()
    assert ": idle: config.meta.alert.notify: is missing" in below_models.complaint()


@pytest.mark.parametrize(
    ("written", "words"),
    [
        (
            "severty: low",
            "dbt_project.yml:5: models.cs_pipeline.alerts.+meta.alert.severty: is not a field here; did you mean severity?",
        ),
        ("severity: loud", "severity: expected 'urgent', 'high', 'medium' or 'low', got 'loud'"),
        ("remind_every: often", "remind_every: write a number and a unit"),
        ("schedule: sometimes", ".alert.schedule: "),
        ("severity: [", "dbt_project.yml:5:"),
        ("notify: {to: boss}", ".alert.notify.to: expected 'owner'"),
    ],
)
def test_a_mistake_in_what_a_folder_sets_is_told_with_its_own_line(
    below_models: Folder, tmp_path: Path, written: str, words: str
) -> None:
    (tmp_path / "dbt_project.yml").write_text(FOLDERS.replace("severity: low, notify: {to: manager}", written))
    assert words in below_models.complaint()
