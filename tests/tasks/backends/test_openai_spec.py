"""The SPEC of an endpoint."""

from __future__ import annotations

import pytest

from schemas.errors import UsageError
from tasks.backends.openai_spec import parse


@pytest.mark.parametrize(
    ("spec", "urls", "model"),
    [
        ("openai:http://127.0.0.1:8000/v1:my-model", ("http://127.0.0.1:8000/v1",), "my-model"),
        ("openai:https://api.openai.com/v1:ft:gpt-4o:org::id", ("https://api.openai.com/v1",), "ft:gpt-4o:org::id"),
        ("openai:http://host:m", ("http://host",), "m"),
        ("openai:http://host/v1/:org/Model-7B", ("http://host/v1",), "org/Model-7B"),
        ("openai:http://[::1]:8000/v1:llama3:8b", ("http://[::1]:8000/v1",), "llama3:8b"),
        ("openai:http://a:1/v1,http://b:2/v1:m", ("http://a:1/v1", "http://b:2/v1"), "m"),
    ],
)
def test_urls_and_model_are_told_apart(spec: str, urls: tuple[str, ...], model: str) -> None:
    endpoint = parse(spec)
    assert (endpoint.urls, endpoint.model) == (urls, model)


def test_options_and_further_replicas_do_not_change_what_the_answers_are_kept_under() -> None:
    plain = "openai:http://a:1/v1:m"
    assert parse(plain).spec == plain
    assert parse(plain + "?concurrency=7&price_in=2.5&key_env=K").spec == plain
    assert parse("openai:http://a:1/v1,http://b:2/v1:m").spec == plain
    assert parse(plain + "?identity=policy-3").spec == "openai:policy-3:m"


def test_options_are_read() -> None:
    endpoint = parse("openai:http://a/v1:m?concurrency=7&rpm=600&tpm=1e6&timeout_s=3&price_out=0&key_env=K")
    assert (endpoint.concurrency, endpoint.rpm, endpoint.tpm, endpoint.timeout_s) == (7, 600.0, 1e6, 3.0)
    assert (endpoint.price_out, endpoint.key_env) == (0.0, "K")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("openai:my-model", "expected openai:URL:MODEL"),
        ("openai:http://a/v1", "expected openai:URL:MODEL"),
        ("openai:ftp://a/v1:m", "expected openai:URL:MODEL"),
        ("openai:http://user:key@a/v1:m", "expected openai:URL:MODEL|must not hold a user"),
        ("openai:http://key@a/v1:m", "must not hold a user"),
        ("openai:http://a/v1:m?concurency=7", "did you mean 'concurrency'"),
        ("openai:http://a/v1:m?rpm=many", "rpm='many' is not a number"),
        ("openai:http://a/v1:m?concurrency=0", "must be above zero"),
    ],
)
def test_a_wrong_spec_is_refused_with_what_is_wrong(spec: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        parse(spec)


@pytest.mark.parametrize(
    ("url", "goes"),
    [
        ("https://api.example.com/v1", True),
        ("http://127.0.0.1:8000/v1", True),
        ("http://10.0.0.7/v1", True),
        ("http://localhost/v1", True),
        ("http://gpu-node-3/v1", True),
        ("http://api.example.com/v1", False),
        ("http://8.8.8.8/v1", False),
    ],
)
def test_the_usual_key_is_not_sent_in_the_clear_over_the_internet(
    url: str, goes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "k1")
    monkeypatch.setenv("OTHER", "k2")
    assert parse(f"openai:{url}:m").key() == ("k1" if goes else "")
    assert parse(f"openai:{url}:m?key_env=OTHER").key() == "k2"
