"""The driver: ledger first, then the backend, durable before use, nothing bought twice, nothing lost."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from schemas.errors import EndpointError, StoppedError
from schemas.exchange import Choice, Exchange, Reply, Request
from storage.ledger import Ledger
from tasks.driver import GIVE_UP_AFTER, Driver
from tasks.spending import Budget


class Scripted:
    """A backend that is a function: request in, reply out; it notes what it was asked."""

    spec = "script"

    def __init__(self, reply: Callable[[Request], Reply], slots: int = 4, pause_s: float = 0.0) -> None:
        self.reply, self.slots, self.pause_s = reply, slots, pause_s
        self.asked: list[Request] = []
        self.inside = self.most = 0

    async def start(self) -> dict[str, str]:
        return {}

    async def answer(self, request: Request) -> Reply:
        self.asked.append(request)
        self.inside += 1
        self.most = max(self.most, self.inside)
        await asyncio.sleep(self.pause_s)
        self.inside -= 1
        return self.reply(request)

    async def close(self) -> None:
        """Nothing to close."""


def echo(request: Request) -> Reply:
    text = request.messages[0]["content"]
    wanted = range(request.first, request.first + request.n)
    return Reply(
        choices=tuple(Choice(i, f"{text} #{i}", completion_tokens=3) for i in wanted), prompt_tokens=5, cost=0.5
    )


def ask(text: str, **changed: Any) -> Request:
    return Request(model="script", messages=[{"role": "user", "content": text}], **changed)


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    with Ledger.open(tmp_path / "ledger.sqlite") as opened:
        yield opened


def run(
    ledger: Ledger, backend: Scripted, *requests: Request, budget: Budget | None = None
) -> tuple[Driver, list[Any]]:
    async def go() -> tuple[Driver, list[Any]]:
        driver = Driver({"script": backend}, ledger, budget=budget)
        asked = (driver.ask(request) for request in requests)
        return driver, await asyncio.gather(*asked, return_exceptions=True)

    return asyncio.run(go())


def test_an_answer_is_bought_once_and_then_comes_from_the_ledger(ledger: Ledger) -> None:
    backend = Scripted(echo)
    _, (first,) = run(ledger, backend, ask("a", n=2))
    driver, (again,) = run(ledger, backend, ask("a", n=2))
    assert len(backend.asked) == 1
    assert [choice.text for choice in again.choices] == [choice.text for choice in first.choices] == ["a #0", "a #1"]
    assert (driver.tally.asked, driver.tally.from_ledger) == (0, 2)


def test_asking_for_more_samples_buys_only_the_missing_ones(ledger: Ledger) -> None:
    backend = Scripted(echo)
    run(ledger, backend, ask("a", n=2, first=1))
    _, (reply,) = run(ledger, backend, ask("a", n=5))
    assert [(r.first, r.n) for r in backend.asked] == [(1, 2), (0, 1), (3, 2)]
    assert [choice.text for choice in reply.choices] == [f"a #{i}" for i in range(5)]
    assert reply.from_ledger == 2


def test_one_question_asked_many_times_at_once_is_bought_once(ledger: Ledger) -> None:
    backend = Scripted(echo, pause_s=0.01)
    _, replies = run(ledger, backend, *(ask("same") for _ in range(20)))
    assert len(backend.asked) == 1
    assert {reply.text for reply in replies} == {"same #0"}


def test_a_failed_call_is_no_answer_and_is_asked_again_next_time(ledger: Ledger) -> None:
    _, (failed,) = run(ledger, Scripted(lambda _: Reply(error="HTTP 500")), ask("a"))
    assert (failed.outcome, failed.text, failed.choices) == ("error", "", ())
    driver, (answered,) = run(ledger, Scripted(echo), ask("a"))
    assert answered.text == "a #0"
    assert driver.tally.asked == 1


def test_no_more_requests_are_in_flight_than_there_are_slots_and_earlier_prompts_go_first(ledger: Ledger) -> None:
    backend = Scripted(echo, slots=2, pause_s=0.002)

    async def go() -> None:
        driver = Driver({"script": backend}, ledger)
        await asyncio.gather(*(driver.ask(ask(f"{i}"), (0, i)) for i in reversed(range(10))))

    asyncio.run(go())
    assert backend.most == 2
    assert [request.messages[0]["content"] for request in backend.asked[2:]] == [str(i) for i in range(8)]


def test_a_call_budget_is_never_passed_and_what_was_in_flight_is_kept(ledger: Ledger) -> None:
    backend = Scripted(echo, slots=3, pause_s=0.002)
    requests = [ask(f"{i}") for i in range(10)]
    driver, replies = run(ledger, backend, *requests, budget=Budget(calls=4))
    assert len(backend.asked) == 4
    assert sum(isinstance(reply, Reply) for reply in replies) == 4
    assert all(isinstance(reply, Reply | StoppedError) for reply in replies)
    assert "budget of 4 calls is used up" in str(driver.stopped)
    _, later = run(ledger, Scripted(echo), *requests)
    assert [reply.from_ledger for reply in later].count(1) == 4


@pytest.mark.parametrize(
    "budget", [Budget(tokens=8), Budget(cost=0.5), Budget(seconds=0.0)], ids=["tokens", "cost", "seconds"]
)
def test_every_kind_of_budget_stops_the_asking(ledger: Ledger, budget: Budget) -> None:
    backend = Scripted(echo, slots=1)
    run(ledger, backend, *(ask(f"{i}") for i in range(5)), budget=budget)
    assert len(backend.asked) == (0 if budget.seconds == 0.0 else 1)


def test_an_endpoint_that_refuses_us_stops_everything(ledger: Ledger) -> None:
    def refuse(_: Request) -> Reply:
        raise EndpointError("wrong key")

    backend = Scripted(refuse, slots=1)
    driver, replies = run(ledger, backend, *(ask(f"{i}") for i in range(5)))
    assert len(backend.asked) == 1
    assert all(isinstance(reply, EndpointError) for reply in replies)
    assert str(driver.stopped) == "wrong key"


def test_an_endpoint_that_only_fails_is_given_up_on(ledger: Ledger) -> None:
    backend = Scripted(lambda _: Reply(error="HTTP 503"), slots=1)
    driver, _ = run(ledger, backend, *(ask(f"{i}") for i in range(GIVE_UP_AFTER + 30)))
    assert len(backend.asked) == GIVE_UP_AFTER
    assert "the last 40 calls failed, the latest with: HTTP 503" in str(driver.stopped)


def test_prompts_that_do_not_fit_end_no_run_however_many_come_in_a_row(ledger: Ledger) -> None:
    backend = Scripted(lambda _: Reply(error="maximum context length is 64", of_request=True), slots=1)
    driver, replies = run(ledger, backend, *(ask(f"{i}") for i in range(GIVE_UP_AFTER + 5)))
    assert driver.stopped is None
    assert {getattr(reply, "error", None) for reply in replies} == {"maximum context length is 64"}


def test_a_run_that_is_stopped_waits_no_longer_for_its_endpoints(ledger: Ledger) -> None:
    backend, ended = Scripted(echo), []
    backend.stop_waiting = lambda: ended.append(True)  # type: ignore[attr-defined]
    Driver({"script": backend}, ledger).stop(StoppedError("enough"))
    assert ended == [True]


def test_an_exchange_is_sent_its_replies_in_the_order_it_asked(ledger: Ledger) -> None:
    def exchange() -> Exchange:
        one, other = yield [ask("x"), ask("y")]
        (third,) = yield [ask(one.text + other.text)]
        return [{"text": third.text}]

    async def go() -> list[dict[str, Any]]:
        return await Driver({"script": Scripted(echo)}, ledger).exchange(exchange)

    assert asyncio.run(go()) == [{"text": "x #0y #0 #0"}]


def test_a_rule_is_called_and_asks_nobody(ledger: Ledger) -> None:
    def rule(prompt: dict[str, Any], *, bonus: int) -> list[dict[str, Any]]:
        return [{"score": prompt["n"] + bonus}]

    async def go() -> list[dict[str, Any]]:
        return await Driver({}, ledger).exchange(rule, {"n": 1}, bonus=2)

    assert asyncio.run(go()) == [{"score": 3}]


def test_models_behind_one_endpoint_share_its_slots(ledger: Ledger) -> None:
    backend = Scripted(echo, slots=2, pause_s=0.002)
    backend.endpoint = "http://one"  # type: ignore[attr-defined]

    async def go() -> None:
        driver = Driver({"policy": backend, "judge": backend}, ledger)
        requests = [ask(f"{i}") for i in range(6)]
        models = ["policy", "judge"] * 3
        asked = (driver.ask(Request(model=m, messages=r.messages)) for m, r in zip(models, requests, strict=True))
        await asyncio.gather(*asked)

    asyncio.run(go())
    assert backend.most == 2


def test_a_checkpoint_that_was_trained_on_does_not_answer_with_what_it_said_before(ledger: Ledger) -> None:
    async def go(revision: str) -> Driver:
        driver = Driver({"script": Scripted(echo)}, ledger)
        driver.revisions = {"script": revision}
        await driver.ask(ask("a"))
        return driver

    assert [asyncio.run(go(revision)).tally.asked for revision in ("step 1", "step 2", "step 1")] == [1, 1, 0]
