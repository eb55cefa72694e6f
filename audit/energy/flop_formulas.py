"""Formulas that torch's counter lacks or gets wrong, and the operations that are free by convention.

A multiply and an add are two operations. What is linear in the number of elements (activations, normalisation,
pooling, softmax, random numbers, look-ups) counts as 0, as everywhere in the field. Every other operation without a
formula is named: a count that leaves one out understates.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import torch
from torch.utils.flop_counter import conv_flop_count

aten = torch.ops.aten
Shape = Sequence[int]


def convolution_backward(
    gradient: Shape,
    x: Shape,
    weight: Shape,
    bias_sizes: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: int,
    output_mask: Sequence[bool],
    out_shape: Any = None,
) -> int:
    """One forward for the gradient of the input and one for that of the weight, whatever the groups.

    torch's own formula leaves the groups out of the weight's gradient and is up to 22 times too high.
    """
    forward = conv_flop_count(list(x), list(weight), list(gradient), transposed=transposed)
    return int(output_mask[0]) * forward + int(output_mask[1]) * forward


def _matrix_vector(matrix: Shape, vector: Shape, *rest: Any, out_shape: Any = None, **options: Any) -> int:
    return 2 * prod(matrix)


def _added_matrix_vector(start: Shape, matrix: Shape, vector: Shape, *rest: Any, **options: Any) -> int:
    return 2 * prod(matrix)


def _inner_product(left: Shape, right: Shape, *rest: Any, out_shape: Any = None, **options: Any) -> int:
    return 2 * prod(left)


def _added_outer_product(start: Shape, left: Shape, right: Shape, *rest: Any, **options: Any) -> int:
    return 2 * prod(left) * prod(right)


def _added_batch_products(start: Shape, left: Shape, right: Shape, *rest: Any, **options: Any) -> int:
    batch, rows, inner = left
    return 2 * batch * rows * inner * right[-1]


def _pairwise_distances(left: Shape, right: Shape, *rest: Any, out_shape: Any = None, **options: Any) -> int:
    """A difference, a power and a sum for each pair of rows and each column."""
    return 3 * prod(left) * right[-2]


def _trilinear(
    one: Shape, two: Shape, three: Shape, expand1: Shape, expand2: Shape, expand3: Shape, *rest: Any, **options: Any
) -> int:
    """Of ``nn.Bilinear``: two products and a sum for each element of the three factors together."""

    def widened(shape: Shape, axes: Shape) -> list[int]:
        wide = list(shape)
        for axis in sorted(axes):
            wide.insert(axis, 1)
        return wide

    factors = (widened(one, expand1), widened(two, expand2), widened(three, expand3))
    return 3 * prod(map(max, zip(*factors, strict=True)))


FORMULAS: dict[Any, Callable[..., int]] = {
    aten.convolution_backward: convolution_backward,
    aten.mv: _matrix_vector,
    aten.addmv: _added_matrix_vector,
    aten.addmv_: _added_matrix_vector,
    aten.dot: _inner_product,
    aten.vdot: _inner_product,
    aten.addr: _added_outer_product,
    aten.addbmm: _added_batch_products,
    aten._cdist_forward: _pairwise_distances,
    aten._trilinear: _trilinear,
}
"""By operation; arguments are shapes."""

LINEAR_IN_ELEMENTS = frozenset(
    """
    embedding embedding_dense_backward embedding_renorm_ _embedding_bag _embedding_bag_forward_only
    _embedding_bag_dense_backward index index_put index_put_ _index_put_impl_ index_select index_add index_add_
    index_fill index_fill_ index_copy index_copy_ gather gather_backward scatter scatter_ scatter_add
    scatter_add_ scatter_reduce scatter_reduce_ masked_select masked_fill masked_fill_ masked_scatter
    select_backward slice_backward select_scatter slice_scatter take_along_dim one_hot nonzero where sum mean
    prod var std var_mean std_mean max min amax amin argmax argmin any all norm linalg_vector_norm logsumexp
    count_nonzero nansum cumsum cumprod cumsum_ logcumsumexp cummax cummin sort topk kthvalue median mode unique
    _unique2 unique_consecutive searchsorted bucketize histc bincount _softmax _log_softmax
    _softmax_backward_data _log_softmax_backward_data _masked_softmax _safe_softmax softmax native_batch_norm
    native_batch_norm_backward _native_batch_norm_legit _native_batch_norm_legit_no_training cudnn_batch_norm
    cudnn_batch_norm_backward miopen_batch_norm _batch_norm_with_update _batch_norm_with_update_functional
    batch_norm_backward native_layer_norm native_layer_norm_backward native_group_norm
    native_group_norm_backward _fused_rms_norm _fused_rms_norm_backward renorm _weight_norm_interface
    _weight_norm_interface_backward max_pool2d_with_indices max_pool2d_with_indices_backward
    max_pool3d_with_indices max_pool3d_with_indices_backward avg_pool2d avg_pool2d_backward avg_pool3d
    avg_pool3d_backward _adaptive_avg_pool2d _adaptive_avg_pool2d_backward _adaptive_avg_pool3d
    _adaptive_avg_pool3d_backward adaptive_max_pool2d adaptive_max_pool2d_backward adaptive_max_pool3d
    adaptive_max_pool3d_backward fractional_max_pool2d max_unpool2d max_unpool3d avg_pool1d adaptive_max_pool1d
    max_pool1d max_pool1d_with_indices upsample_nearest1d upsample_nearest2d upsample_nearest3d
    upsample_linear1d upsample_bilinear2d upsample_bicubic2d upsample_trilinear3d _upsample_bilinear2d_aa
    _upsample_bicubic2d_aa upsample_nearest1d_backward upsample_nearest2d_backward upsample_nearest3d_backward
    upsample_linear1d_backward upsample_bilinear2d_backward upsample_bicubic2d_backward
    upsample_trilinear3d_backward grid_sampler_2d grid_sampler_3d grid_sampler_2d_backward
    grid_sampler_3d_backward pixel_shuffle pixel_unshuffle im2col col2im channel_shuffle constant_pad_nd
    reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d replication_pad2d replication_pad3d
    reflection_pad1d_backward reflection_pad2d_backward reflection_pad3d_backward replication_pad1d_backward
    replication_pad2d_backward replication_pad3d_backward native_dropout native_dropout_backward bernoulli
    bernoulli_ rand rand_like randn randn_like randint normal_ uniform_ random_ exponential_ multinomial
    randperm cat stack unsafe_split unsafe_split_with_sizes repeat flip roll tril triu tril_ triu_ tril_indices
    triu_indices rot90 unfold_backward diag_embed trace clone copy copy_ _to_copy to contiguous fill fill_ zero_
    zeros zeros_like ones ones_like full full_like empty empty_like empty_strided new_empty new_empty_strided
    new_zeros new_ones new_full arange linspace eye scalar_tensor lift_fresh lift_fresh_copy detach alias set_
    resize_ _resize_output_ _local_scalar_dense item equal is_same_size _unsafe_view view _reshape_alias
    as_strided_ sym_size sym_stride sym_numel sym_storage_offset _assert_async expand_copy bernoulli.p
    nll_loss_forward nll_loss_backward nll_loss2d_forward nll_loss2d_backward mse_loss mse_loss_backward
    binary_cross_entropy binary_cross_entropy_backward binary_cross_entropy_with_logits smooth_l1_loss
    huber_loss smooth_l1_loss_backward huber_loss_backward _thnn_fused_lstm_cell _thnn_fused_gru_cell
    _thnn_fused_lstm_cell_backward _thnn_fused_gru_cell_backward _linalg_check_errors squeeze_ transpose_
    unsqueeze_ t_ glu glu_backward glu_jvp _prelu_kernel _prelu_kernel_backward prelu rrelu_with_noise
    rrelu_with_noise_backward log_sigmoid_forward log_sigmoid_backward rms_norm _foreach_add_ _foreach_mul_
    _amp_foreach_non_finite_check_and_unscale_
    """.split()  # noqa: SIM905  # three hundred quoted names are no easier to read
)
"""Names of operations whose work is proportional to the elements they read or write."""


def is_free(operation: Any) -> bool:
    """Whether a dispatched operation is linear in its elements: by its tag, as a view, by its name."""
    if torch.Tag.pointwise in operation.tags or operation.is_view:
        return True
    return operation.overloadpacket.__name__ in LINEAR_IN_ELEMENTS
