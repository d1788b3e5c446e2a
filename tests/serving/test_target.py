from defectkeras.serving.target import Target, no_answer, no_connection


def test_the_error_names_what_was_asked():
    target = Target("grpc://127.0.0.1:8500", "tiny", 3)
    assert str(no_answer(target, "it is away")) == (
        "The server at grpc://127.0.0.1:8500 must answer for tiny@3, but: it is away."
    )


def test_a_wrong_port_is_told_with_what_to_check():
    told = str(no_connection(Target("https://lab:8501", "tiny", 3)))
    assert "nothing there speaks HTTP. Check" in told
    assert "speaks gRPC" in str(no_connection(Target("grpcs://lab:1", "tiny", 3)))
