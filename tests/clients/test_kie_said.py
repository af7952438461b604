"""Where KIE's own sentence stands in its answers."""

import json

import pytest

from clients.kie_wire import said_in

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"code": 402, "msg": "Credits insufficient", "data": None}, "Credits insufficient"),
        ({"code": 200, "msg": "success", "data": {"state": "fail", "failMsg": "no faces"}}, "no faces"),
        ({"code": 501, "msg": "failed", "data": {"state": "fail", "failMsg": "no faces"}}, "no faces"),
        ({"code": 501, "msg": "timed out", "data": {}}, "timed out"),
        ({"code": 200, "msg": "success", "data": {"state": "fail"}}, ""),
        ({"error": "somebody else's"}, ""),
    ],
)
def test_it_is_found(answer: object, said: str) -> None:
    assert said_in(json.dumps(answer)) == said


@pytest.mark.parametrize("raw", ["<html>Bad gateway</html>", "", '{"code": 500, "msg": "cut o'])
def test_a_page_and_half_an_answer_say_nothing(raw: str) -> None:
    assert said_in(raw) == ""
