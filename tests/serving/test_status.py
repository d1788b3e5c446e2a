import json

import pytest

from defectkeras.serving.status import Code, StatusError, code_of, error_body


def test_codes_are_those_of_tensorflow_serving():
    for code, status in {
        Code.INVALID_ARGUMENT: 400,
        Code.NOT_FOUND: 404,
        Code.RESOURCE_EXHAUSTED: 429,
        Code.CANCELLED: 499,
        Code.UNAVAILABLE: 503,
        Code.DEADLINE_EXCEEDED: 504,
        Code.INTERNAL: 500,
        Code.DATA_LOSS: 500,
    }.items():
        assert StatusError(code, "x").http_status == status


@pytest.mark.parametrize("number", range(17))
def test_every_number_is_a_code(number):
    assert code_of(number).value[0] == number


def test_unknown_numbers_are_unknown():
    assert code_of(99) is Code.UNKNOWN


def test_messages_are_escaped():
    assert json.loads(error_body('"\n<')) == {"error": '"\n<'}
