"""A HubSpot portal on this machine that keeps the documented rules, so far as our requests could break them."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

from tests.fakes.provider import Answer, Request

TOKEN = "pat-na1-super-secret"
KEY = "cs_pipeline_action_key"
ACCOUNT = "cs_pipeline_account_id"
UNIQUE = {"tasks": KEY, "deals": KEY, "companies": ACCOUNT}
REQUIRED = {"tasks": {"hs_timestamp"}, "deals": {"dealname", "dealstage"}}
PROPERTIES = {
    "tasks": {
        KEY, "hs_task_subject", "hs_task_body", "hs_timestamp", "hs_task_status", "hs_task_priority", "hs_task_type",
        "hubspot_owner_id",
    },
    "deals": {KEY, "dealname", "description", "closedate", "pipeline", "dealstage", "hubspot_owner_id"},
}  # fmt: skip
CHOICES = {
    "hs_task_status": {"NOT_STARTED", "COMPLETED"},
    "hs_task_priority": {"LOW", "MEDIUM", "HIGH"},
    "hs_task_type": {"EMAIL", "CALL", "TODO"},
    "dealstage": {"appointmentscheduled"},
}
ASSOCIATIONS = {"tasks": {192}, "deals": {5, 341}}
MOST_AT_ONCE = 100


@dataclass
class Portal:
    """`batches_refused_with`: the status with which a record that is not sound spoils its batch.

    `instead`: answers by a part of the path.
    """

    companies: dict[str, str] = field(default_factory=lambda: {"acme": "9001", "beta": "9002"})
    owners: dict[str, str] = field(default_factory=lambda: {"olga@example.com": "71", "mara@example.com": "72"})
    owners_a_page: int = 500
    batches_refused_with: int | None = None
    instead: dict[str, Answer] = field(default_factory=dict)
    records: dict[str, dict[str, dict[str, str]]] = field(default_factory=lambda: {"tasks": {}, "deals": {}})
    associations: dict[tuple[str, str], str] = field(default_factory=dict)

    def __call__(self, request: Request) -> Answer:
        if request.headers.get("Authorization") != f"Bearer {TOKEN}":
            return refusal(401, "Authentication credentials not found.")
        for part, answer in self.instead.items():
            if part in request.path:
                return answer
        path = urlsplit(request.path).path
        if path == "/crm/v3/owners/":
            return self.listed_owners(parse_qs(urlsplit(request.path).query))
        if found := re.fullmatch(r"/crm/v3/objects/(\w+)/batch/(read|upsert)", path):
            inputs = request.json["inputs"]
            if not 0 < len(inputs) <= MOST_AT_ONCE:
                return refusal(400, "The maximum number of objects supported in a batch request is 100.")
            if len({each["id"] for each in inputs}) < len(inputs):
                return refusal(400, "Duplicate IDs found in batch input")
            return getattr(self, found[2])(found[1], request.json)
        if found := re.fullmatch(r"/crm/v4/associations/(\w+)/companies/batch/(create|read)", path):
            return getattr(self, f"associations_{found[2]}")(found[1], request.json["inputs"])
        return refusal(404, "no such endpoint")

    def listed_owners(self, query: dict[str, list[str]]) -> Answer:
        if int(query["limit"][0]) > 500:
            return refusal(400, "limit must be at most 500")
        start = int(query.get("after", ["0"])[0])
        listed = [{"id": owner_id, "email": address} for address, owner_id in self.owners.items()]
        end = start + self.owners_a_page
        paging = {"paging": {"next": {"after": str(end)}}} if end < len(listed) else {}
        return Answer(200, {"results": listed[start:end], **paging})

    def read(self, object_type: str, asked: dict) -> Answer:
        by = asked.get("idProperty")
        if by is not None and by != UNIQUE[object_type]:
            return refusal(400, f"Property '{by}' is not unique")
        companies = {company_id: {ACCOUNT: account_id} for account_id, company_id in self.companies.items()}
        stored = companies if object_type == "companies" else self.records[object_type]
        wanted = [each["id"] for each in asked["inputs"]]
        found = [
            {"id": record_id, "properties": {name: properties.get(name) for name in asked["properties"]}}
            for record_id, properties in stored.items()
            if (record_id if by is None else properties[by]) in wanted
        ]
        missing = {"category": "OBJECT_NOT_FOUND", "message": "Could not get some objects", "context": {"ids": []}}
        return answer(found, [missing] if len(found) < len(wanted) else [])

    def upsert(self, object_type: str, asked: dict) -> Answer:
        results, errors = [], []
        for each in asked["inputs"]:
            if each["idProperty"] != UNIQUE[object_type]:
                return refusal(400, f"Property '{each['idProperty']}' is not unique")
            if problem := self.problem(object_type, each["properties"]):
                context = {"objectWriteTraceId": [each["objectWriteTraceId"]]}
                errors.append({"category": "VALIDATION_ERROR", "message": problem, "context": context})
        if errors and self.batches_refused_with:
            return refusal(self.batches_refused_with, errors[0]["message"])
        refused = {trace for error in errors for trace in error["context"]["objectWriteTraceId"]}
        stored = self.records[object_type]
        for each in asked["inputs"]:
            if each["objectWriteTraceId"] not in refused:
                known = {properties[KEY]: record_id for record_id, properties in stored.items()}
                record_id = known.get(each["id"]) or str(1000 + len(stored))
                stored[record_id] = stored.get(record_id, {}) | {KEY: each["id"]} | each["properties"]
                results.append({"id": record_id, "properties": stored[record_id], "new": each["id"] not in known})
        return answer(results, errors)

    def problem(self, object_type: str, properties: dict[str, str]) -> str | None:
        if unknown := properties.keys() - PROPERTIES[object_type]:
            return f"Property {sorted(unknown)} does not exist"
        if missing := REQUIRED[object_type] - properties.keys():
            return f"Required properties {sorted(missing)} are missing"
        for name, choices in CHOICES.items():
            if name in properties and properties[name] not in choices:
                return f"{properties[name]} was not one of the allowed options of {name}"
        if properties.get("hubspot_owner_id", "71") not in self.owners.values():
            return "Owner does not exist"
        if "unsound" in properties.values():
            return "A title must be sound; write to olga@example.com"
        return None

    def associations_create(self, object_type: str, inputs: list[dict]) -> Answer:
        results, errors = [], []
        for each in inputs:
            types = {(kind["associationCategory"], kind["associationTypeId"]) for kind in each["types"]}
            record_id, company_id = each["from"]["id"], each["to"]["id"]
            if not types <= {("HUBSPOT_DEFINED", number) for number in ASSOCIATIONS[object_type]}:
                return refusal(400, "No such association type between these objects")
            if record_id in self.records[object_type] and company_id in self.companies.values():
                self.associations[object_type, record_id] = company_id
                results.append({"fromObjectId": int(record_id), "toObjectId": int(company_id), "labels": []})
            else:
                errors.append({"category": "OBJECT_NOT_FOUND", "message": f"No object {record_id}", "context": {}})
        return answer(results, errors, status=201)

    def associations_read(self, object_type: str, inputs: list[dict]) -> Answer:
        found = [
            {"from": {"id": each["id"]}, "to": [{"toObjectId": int(self.associations[object_type, each["id"]])}]}
            for each in inputs
            if (object_type, each["id"]) in self.associations
        ]
        return answer(found, [] if len(found) == len(inputs) else [{"message": "No company is associated"}])


def answer(results: list[dict], errors: list[dict], status: int = 200) -> Answer:
    body = {"status": "COMPLETE", "results": results}
    return Answer(207, body | {"numErrors": len(errors), "errors": errors}) if errors else Answer(status, body)


def refusal(status: int, message: str, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, {"status": "error", "message": message, "correlationId": "c-1"}, headers or {})
