"""Rotation-equivariant layers, and networks of them."""

from spherekit.nn import mixing
from spherekit.nn.generalized import constrained, convolution, fragments, signals, tensor_product
from spherekit.nn.net import Layer, Mode, Net, Training, chain, count, tapped
from spherekit.nn.readout import dense, invariants, relu
from spherekit.nn.signals import Features, Generalized, Group, Sphere
