from defectkeras.datasets.spec import load_dataset_spec
from defectkeras.training import strategy
from defectkeras.training.config import TrainingConfig
from defectkeras.workflows.fresh_model import build_model_for
from defectkeras.workflows.training_request import TrainingRequest


def test_rates_that_reach_beyond_the_patches_are_told(synthetic_spec, caplog):
    request = TrainingRequest(
        synthetic_spec,
        architecture="deeplab_v3",
        arguments={"encoder": "mobilenet_v2", "encoder_alpha": 0.35},
    )
    spec = load_dataset_spec(synthetic_spec)
    for patch_size in (160, 304):
        config = TrainingConfig(precision="float32", patch_size=patch_size)
        build_model_for(request, spec, config, strategy.choose_devices("one"))
    (told,) = (m for m in caplog.messages if "rates" in m)
    assert told.startswith(
        "The rates 12, 18 reach beyond the map that patches of 160 px"
    )
