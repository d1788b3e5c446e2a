from defectkeras.serving.target import Target, no_answer


def test_the_error_names_what_was_asked():
    target = Target("grpc://127.0.0.1:8500", "tiny", 3)
    assert str(no_answer(target, "it is away")) == (
        "The server at grpc://127.0.0.1:8500 must answer for tiny@3, but: it is away."
    )
