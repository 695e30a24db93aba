"""Make requests of HubSpot with the vendor's library, and read what its refusals say.

Answers are read as JSON instead of as the library's models: those take seconds to import, and drop the errors of a
batch that went through in part. Import this only where HubSpot is connected: the library is slow all the same.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from hubspot import Client
from hubspot.crm.associations.v4.exceptions import ApiException as AssociationRefusal
from hubspot.crm.objects.exceptions import ApiException as ObjectRefusal
from hubspot.crm.owners.exceptions import ApiException as OwnerRefusal
from pydantic import SecretStr
from urllib3.exceptions import HTTPError
from urllib3.util.retry import Retry

from cs_pipeline.channels.crm_api import ALLOWANCE_BACK, GARBAGE, CrmRefusalError, in_words
from cs_pipeline.channels.http import BROKEN_EXCHANGE, seconds_in, silenced
from cs_pipeline.channels.pooled_exchange import bound
from cs_pipeline.channels.refusals import HUBSPOT, meaning_of_code

MOST_AT_ONCE = 100
OWNERS_A_PAGE = 500
DAY_IS_USED_UP = "DAILY"  # the policy that a 429 names; the other one is of seconds


class HubSpotRequests:
    """Every method is one request, `owners` one a page. All raise CrmRefusalError, and nothing else."""

    def __init__(self, token: SecretStr, *, host: str, timeout_seconds: float) -> None:
        self._token = token
        self._timeout = timeout_seconds
        silenced("urllib3.connectionpool")
        # Without `retry` the library asks again by itself; a redirect would carry the token elsewhere.
        client = Client.create(
            access_token=token.get_secret_value(), host=host.rstrip("/"), retry=Retry(0, redirect=False)
        )
        self._objects = client.crm.objects.batch_api
        self._owners = client.crm.owners.owners_api
        self._associations = client.crm.associations.v4.batch_api
        for api in (self._objects, self._owners, self._associations):
            bound(api.api_client.rest_client.pool_manager)

    def read(
        self, object_type: str, ids: Iterable[str], properties: Sequence[str], by: str | None = None
    ) -> dict[str, Mapping[str, str | None]]:
        """Properties of records by record id, asked for by that id or by the unique property `by`. Absent ones are not
        in it."""
        asked: dict[str, object] = {"inputs": [{"id": each} for each in ids], "properties": list(properties)}
        if by is not None:
            asked["idProperty"] = by
        answer = self._ask(self._objects.read, object_type, asked)
        with _understood():
            return {str(result["id"]): dict(result["properties"]) for result in answer["results"]}

    def upsert(
        self, object_type: str, by: str, records: Mapping[str, Mapping[str, str]]
    ) -> tuple[dict[str, str], dict[str, CrmRefusalError]]:
        """Create or update records (properties by the value of their unique property `by`).

        Returns record ids, and refusals, by that value; it is in neither where the answer does not say what became
        of the record.
        """
        keys = list(records)
        inputs = [
            {"id": key, "idProperty": by, "objectWriteTraceId": str(place), "properties": {**records[key], by: key}}
            for place, key in enumerate(keys)
        ]
        answer = self._ask(self._objects.upsert, object_type, {"inputs": inputs})
        with _understood():
            ids = {str(result["properties"][by]): str(result["id"]) for result in answer["results"]}
            refused = {
                keys[int(place)]: self._refusal_in(error)
                for error in answer.get("errors") or []
                for place in (error.get("context") or {}).get("objectWriteTraceId", ["0"] if len(keys) == 1 else [])
            }
        return ids, refused

    def associate(
        self, object_type: str, companies: Mapping[str, str], type_id: int
    ) -> tuple[set[str], list[CrmRefusalError]]:
        """Associate records with companies (ids by id): which records now are, and refusals of the rest.

        A refusal does not say which record it is of.
        """
        types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id}]
        inputs = [
            {"from": {"id": record_id}, "to": {"id": company_id}, "types": types}
            for record_id, company_id in companies.items()
        ]
        answer = self._ask(self._associations.create, object_type, "companies", {"inputs": inputs})
        with _understood():
            refusals = [self._refusal_in(error) for error in answer.get("errors") or []]
            return {str(result["fromObjectId"]) for result in answer["results"]}, refusals

    def is_associated(self, object_type: str, record_id: str) -> bool:
        """Whether a record is associated with any company."""
        asked = {"inputs": [{"id": record_id}]}
        answer = self._ask(self._associations.get_page, object_type, "companies", asked)
        with _understood():
            return any(result["to"] for result in answer["results"])

    def owners(self) -> Iterator[tuple[str, str]]:
        """Id and address of everybody to whom records can be given."""
        after: str | None = None
        while True:
            place = {} if after is None else {"after": after}
            answer = self._ask(self._owners.get_page, limit=OWNERS_A_PAGE, **place)
            with _understood():
                page = [(str(owner["id"]), str(owner.get("email") or "")) for owner in answer["results"]]
                after = ((answer.get("paging") or {}).get("next") or {}).get("after")
            yield from page
            if after is None:
                return

    def _ask(self, request: Callable[..., Any], *arguments: object, **options: object) -> dict:
        try:
            with _understood():
                response = request(*arguments, **options, _preload_content=False, _request_timeout=self._timeout)
                answer = json.loads(response.data)
                if not isinstance(answer, dict) or not isinstance(answer.get("results"), list):
                    raise TypeError
                return answer
        except (ObjectRefusal, OwnerRefusal, AssociationRefusal) as error:
            raise self._refusal(error) from None
        except (*BROKEN_EXCHANGE, HTTPError) as error:
            # Their own words name the address with all its parameters.
            raise CrmRefusalError(f"HubSpot: the exchange broke off ({type(error).__name__})") from None

    def _refusal(self, error: Any) -> CrmRefusalError:
        wait, meaning = seconds_in(error.headers, "Retry-After"), None
        try:
            said = json.loads(error.body)
            message = self._redacted(said["message"])
            meaning = HUBSPOT.get(str(said.get("category"))) if error.status < 500 else None
            if said.get("policyName") == DAY_IS_USED_UP:
                wait = ALLOWANCE_BACK
        except GARBAGE:
            message = "not in its own words"
        words = f"HubSpot answered {error.status}: {message}"
        return CrmRefusalError(words, status=error.status, retry_after=wait, meaning=meaning)

    def _refusal_in(self, error: Mapping[str, Any]) -> CrmRefusalError:
        """A refusal of one record of a batch."""
        meaning = meaning_of_code(str(error.get("category")), HUBSPOT, "later")
        return CrmRefusalError(f"HubSpot says {self._redacted(error['message'])}", status=400, meaning=meaning)

    def _redacted(self, words: object) -> str:
        return in_words(words, without=[self._token.get_secret_value()])


@contextmanager
def _understood() -> Iterator[None]:
    """What an answer raises, here or in the library, that is not HubSpot's JSON, is a refusal that passes."""
    try:
        yield
    except GARBAGE:
        raise CrmRefusalError("HubSpot's answer is not one of HubSpot's") from None
