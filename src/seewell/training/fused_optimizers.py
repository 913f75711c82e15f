"""Keras's momentum and Adam with each variable's update as one kernel of TensorFlow: the same formulas, fewer passes.

Keras 3 writes an update of Adam as a dozen operations that read and write
whole arrays some thirty times; the kernel reads four and writes three.
Names, variables and configuration are Keras's.
"""

from typing import Any

import keras
import tensorflow as tf

__all__ = ["Adam", "AdamW", "Momentum"]


class Momentum(keras.optimizers.SGD):
    """SGD with momentum, plain or Nesterov's (Sutskever et al. 2013): B ← momentum · B − rate · gradient."""

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One step of one variable."""
        buffer = self.momentums[self._get_variable_index(variable)]
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=variable.handle,
            accum=buffer.value.handle,
            lr=tf.cast(learning_rate, variable.dtype),
            grad=tf.cast(gradient, variable.dtype),
            momentum=tf.constant(self.momentum, variable.dtype),
            use_nesterov=self.nesterov,
        )


class _Adam:
    """What both kinds of Adam share (Kingma and Ba 2015, the form before section 2.1, with its epsilon)."""

    beta_1: float
    beta_2: float
    epsilon: float
    iterations: Any
    _momentums: list[Any]
    _velocities: list[Any]
    _get_variable_index: Any

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """One step of one variable."""
        place, dtype = self._get_variable_index(variable), variable.dtype
        step = tf.cast(self.iterations + 1, dtype)
        beta_1, beta_2 = tf.constant(self.beta_1, dtype), tf.constant(self.beta_2, dtype)
        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=self._momentums[place].value.handle,
            v=self._velocities[place].value.handle,
            beta1_power=tf.pow(beta_1, step),
            beta2_power=tf.pow(beta_2, step),
            lr=tf.cast(learning_rate, dtype),
            beta1=beta_1,
            beta2=beta_2,
            epsilon=tf.constant(self.epsilon, dtype),
            grad=tf.cast(gradient, dtype),
        )


class Adam(_Adam, keras.optimizers.Adam):
    """Adam (Kingma and Ba 2015)."""


class AdamW(_Adam, keras.optimizers.AdamW):
    """Adam with a decoupled weight decay (Loshchilov and Hutter 2019)."""
