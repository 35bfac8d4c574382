import pytest
import torch
from torchvision.models import resnet18

from fer_lib.network import Network, parameter_count
from fer_lib.recipe import standardise
from fer_lib.resnet import resnet

# conv1; four stages: two 3x3 convolutions, batch norms, and from the second on a 1x1 projection; the classifier.
RESNET10 = 3264 + 73_984 + 230_144 + 919_040 + 3_673_088 + 3591


@pytest.mark.parametrize(
    ("built", "expected"), [("resnet10", [24, 12, 6, 3, 2]), ("resnet10-unpooled", [24, 24, 12, 6, 3])]
)
def test_resnet10_has_the_sizes_of_table_1_and_twice_those_without_the_pool(built, expected):
    network = resnet(built, 7)
    sizes = {}
    for name in ("conv1", "layer1", "layer2", "layer3", "layer4"):
        getattr(network, name).register_forward_hook(lambda _, __, out, name=name: sizes.update({name: out.shape}))
    output = network(torch.zeros(2, 1, 48, 48))
    print(*(f"{name} {tuple(shape[1:])}" for name, shape in sizes.items()), f"{parameter_count(network)} weights")
    assert [shape[-1] for shape in sizes.values()] == expected
    assert [shape[1] for shape in sizes.values()] == [64, 64, 128, 256, 512]
    assert output.shape == (2, 7)
    assert parameter_count(network) == RESNET10
    pools = [layer for layer in network.modules() if isinstance(layer, torch.nn.MaxPool2d)]
    assert len(pools) == (0 if "unpooled" in built else 1)


def test_ten_layers_with_weights():
    layers = [m for m in resnet("resnet10", 7).modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    projections = [m for m in layers if isinstance(m, torch.nn.Conv2d) and m.kernel_size == (1, 1)]
    assert len(layers) - len(projections) == 10


def test_resnet18_is_torchvisions_with_one_channel():
    theirs = parameter_count(resnet18(num_classes=7))
    assert parameter_count(resnet("resnet18", 7)) == theirs - 2 * 64 * 7 * 7


def test_the_first_convolution_starts_as_torchvisions():
    torch.manual_seed(0)
    # 64 outputs of 7 x 7 weights, whatever the number of channels: sqrt(2 / 3136) = 0.0253.
    for network in (resnet("resnet10", 7), resnet18(num_classes=7)):
        assert network.conv1.weight.std().item() == pytest.approx(0.0253, rel=0.05)


def test_paths_through_the_network():
    images = torch.rand(4, 1, 48, 48)
    for input_path in ("stn", "dual", "plain"):
        torch.manual_seed(0)
        network = Network(input_path=input_path, outputs=5).eval()
        embedding, theta = network(images)
        assert embedding.shape == (4, 5)
        assert theta.shape == (4, 2, 3)
        # The transformer starts as the identity, so at first all three paths see the same face.
        torch.testing.assert_close(embedding, network.resnet(images))
    assert parameter_count(Network(input_path="dual")) == parameter_count(Network()) == RESNET10 + 6256
    assert parameter_count(Network(input_path="plain")) == RESNET10


def test_dual_averages_both_views():
    network = Network(input_path="dual").eval()
    with torch.no_grad():
        network.stn.head[-1].bias[2] = 0.5
    images = torch.rand(3, 1, 48, 48)
    expected = (network.resnet(network.stn(images)[0]) + network.resnet(images)) / 2
    torch.testing.assert_close(network(images)[0], expected)
    assert not torch.allclose(expected, network.resnet(images))


def test_a_standardised_network_sees_standardised_faces():
    torch.manual_seed(0)
    network, images = Network(standardised=True).eval(), torch.rand(3, 1, 48, 48)
    torch.testing.assert_close(network(images)[0], network.resnet(standardise(images)))


@pytest.mark.parametrize("wrong", [{"backbone": "resnet34"}, {"input_path": "both"}])
def test_unknown_parts_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong.values()))):
        Network(**wrong)
