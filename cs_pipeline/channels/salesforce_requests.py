"""Make requests of Salesforce with simple-salesforce, and read what its refusals say.

Logs in by itself, as an app with an id and a secret (OAuth client credentials): access tokens last hours, and a user's
password would need a person's second factor. Import this only where Salesforce is connected: the library is slow.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote

from pydantic import SecretStr
from requests import RequestException, Response, Session
from simple_salesforce.api import Salesforce
from simple_salesforce.exceptions import SalesforceError
from simple_salesforce.format import format_soql

from cs_pipeline.channels.crm_api import ALLOWANCE_BACK, GARBAGE, CrmRefusalError, in_words
from cs_pipeline.channels.http import seconds_in, silenced
from cs_pipeline.channels.pooled_exchange import bound
from cs_pipeline.channels.refusals import SALESFORCE, Meaning, meaning_of_code

MOST_AT_ONCE = 200
LONGEST_LIST = 12_000
"""Bytes of values in one query, escaped: it travels in the address, of which Salesforce takes about 16,000."""

GENTLEST: tuple[Meaning, ...] = ("later", "channel", "perhaps", "message")  # which of several codes decides
NOT_UNDERSTOOD = "Salesforce's answer is not one of Salesforce's"
DAY_IS_USED_UP = "TotalRequests"  # in the words of REQUEST_LIMIT_EXCEEDED; others of that code pass sooner


class SalesforceRequests:
    """Every method is one request, `query` one per LONGEST_LIST. All raise CrmRefusalError, and nothing else."""

    def __init__(self, domain: str, client_id: str, client_secret: SecretStr, *, timeout_seconds: float) -> None:
        self._domain = domain
        self._client_id = client_id
        self._client_secret = client_secret
        self._session = _Session(timeout_seconds, [client_id, client_secret.get_secret_value()])
        self._salesforce: Salesforce | None = None
        silenced("simple_salesforce.api")
        silenced("urllib3.connectionpool")  # its lines hold queries, and those hold addresses

    def query(self, soql: str, values: Sequence[str], *, with_archived: bool = False) -> list[Mapping[str, Any]]:
        """Records that a query finds; `{values}` in it is replaced by the quoted list, which is split where long.

        `with_archived`: also those in the archive, where Salesforce puts tasks a year after they were closed, and in
        the recycle bin.
        """
        found: list[Mapping[str, Any]] = []
        for some in _lists(values):
            with self._asked() as salesforce:
                answer = salesforce.query_all(format_soql(soql, values=some), include_deleted=with_archived)
                found.extend(answer["records"])
        return found

    def upsert(self, object_type: str, by: str, records: Sequence[Mapping[str, Any]]) -> list[str | CrmRefusalError]:
        """Create or update records by their external id `by`: the id of each, or why there is none, in their order."""
        typed = [{"attributes": {"type": object_type}, **record} for record in records]
        with self._asked() as salesforce:
            answer = salesforce.restful(
                f"composite/sobjects/{object_type}/{by}", method="PATCH", json={"allOrNone": False, "records": typed}
            )
            if not isinstance(answer, list) or len(answer) != len(records):
                raise TypeError
            return [str(result["id"]) if result["success"] is True else self._refusal(result) for result in answer]

    @contextmanager
    def _asked(self) -> Iterator[Salesforce]:
        try:
            if self._salesforce is None:
                self._salesforce = Salesforce(
                    domain=self._domain,
                    consumer_key=self._client_id,
                    consumer_secret=self._client_secret.get_secret_value(),
                    session=self._session,
                )
            yield self._salesforce
        except SalesforceError as error:
            # Only a refused login or session comes here: all other refusals are told by the session below.
            words = in_words(getattr(error, "auth_message", "") or "the session ended", without=self._secrets())
            is_garbage = getattr(error, "code", None) == 200  # an answer to the login that is no JSON
            raise CrmRefusalError(
                f"Salesforce does not let us in: {words}", status=401, meaning="later" if is_garbage else "channel"
            ) from None
        except RequestException as error:
            # Its own words name the address with the whole query.
            raise CrmRefusalError(f"Salesforce: the exchange broke off ({type(error).__name__})") from None
        except GARBAGE:
            raise CrmRefusalError(NOT_UNDERSTOOD) from None

    def _refusal(self, result: Mapping[str, Any]) -> CrmRefusalError:
        """Why one record of a batch was not written."""
        meanings: list[Meaning] = [
            meaning_of_code(error["statusCode"], SALESFORCE, "later") for error in result["errors"]
        ]
        words = "; ".join(f"{error['statusCode']}: {error['message']}" for error in result["errors"])
        return CrmRefusalError(
            f"Salesforce says {in_words(words or 'nothing', without=self._secrets())}",
            status=400,
            meaning=min(meanings, key=GENTLEST.index) if meanings else "later",
        )

    def _secrets(self) -> list[str]:
        """With the session as it is: the library renews it."""
        return [*self._session.secrets, *([] if self._salesforce is None else [self._salesforce.session_id])]


class _Session(Session):
    """Waits so long and no longer, follows no redirect, and raises for every refusal but that of a session."""

    def __init__(self, timeout_seconds: float, secrets: list[str]) -> None:
        super().__init__()
        self.timeout_seconds = timeout_seconds
        self.secrets = secrets
        for adapter in self.adapters.values():
            bound(adapter.poolmanager)  # pyright: ignore[reportAttributeAccessIssue] - requests' own adapters

    def request(self, *arguments: Any, **options: Any) -> Response:  # pyright: ignore[reportIncompatibleMethodOverride]
        options |= {"timeout": self.timeout_seconds, "allow_redirects": False}
        response = super().request(*arguments, **options)
        if response.status_code >= 300 and response.status_code != 401:
            raise self._refusal(response)
        return response

    def _refusal(self, response: Response) -> CrmRefusalError:
        secrets = [*self.secrets, str(response.request.headers.get("Authorization")).removeprefix("Bearer ")]
        try:
            said = response.json()
            first = said[0] if isinstance(said, list) else said
            code = str(first.get("errorCode") or first["error"])
            words = in_words(f"{code}: {first.get('message') or first.get('error_description')}", without=secrets)
        except GARBAGE:
            code, words = "", "not in its own words"
        return CrmRefusalError(
            f"Salesforce answered {response.status_code}: {words}",
            status=response.status_code,
            retry_after=ALLOWANCE_BACK if DAY_IS_USED_UP in words else seconds_in(response.headers, "Retry-After"),
            meaning=SALESFORCE.get(code),
        )


def _lists(values: Sequence[str]) -> Iterator[list[str]]:
    some: list[str] = []
    length = 0
    for value in values:
        size = len(quote(f"'{value}',", safe=""))
        if some and length + size > LONGEST_LIST:
            yield some
            some, length = [], 0
        some.append(value)
        length += size
    if some:
        yield some
