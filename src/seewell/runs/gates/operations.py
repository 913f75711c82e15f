"""The TensorFlow operations that a foreign graph may hold; all others are refused by name.

A list of what is forbidden fails: a WriteFile inside a serialized graph inside
a constant has passed one. None of these reads or writes a file named by the
graph, opens a socket, or runs code, but for the saver's own, which is never run
here. The graph is only read in any case.
"""

from seewell.runs.gates.listed import listed

__all__ = ["ALLOWED", "CALLS", "INFERENCE"]

CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall", "If", "StatelessIf"})
"""Operations that run functions of the graph's own library."""

INFERENCE = listed(
    """
    Placeholder PlaceholderV2 PlaceholderWithDefault Const Identity IdentityN StopGradient PreventGradient Snapshot
    CheckNumerics EnsureShape NoOp Variable VariableV2 VarHandleOp ReadVariableOp Switch RefSwitch Merge RefMerge
    Conv2D DepthwiseConv2dNative BiasAdd BiasAddV1 MatMul BatchMatMulV2 Relu Relu6 LeakyRelu Elu Selu Softplus
    Softsign Sigmoid Tanh Softmax LogSoftmax MaxPool MaxPoolV2 AvgPool Mean Pad PadV2 MirrorPad
    FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3 BatchNormWithGlobalNormalization
    Reshape Squeeze ExpandDims Transpose Slice StridedSlice Pack Unpack Concat ConcatV2 Split SplitV Shape ShapeN Size
    Rank Fill Range Tile ZerosLike OnesLike BroadcastTo Gather GatherV2
    Add AddV2 AddN Sub Mul Div RealDiv DivNoNan FloorDiv FloorMod TruncateDiv Mod Neg Inv Reciprocal Square Sqrt Rsqrt
    Pow Exp Log Log1p Abs Sign Floor Ceil Round Rint Maximum Minimum SquaredDifference Cast Sum Prod Max Min
    Less LessEqual Greater GreaterEqual Equal NotEqual LogicalAnd LogicalOr LogicalNot Select SelectV2 Where All Any
    ClipByValue IsFinite IsNan IsInf
    RandomUniform RandomUniformInt RandomStandardNormal TruncatedNormal StatelessRandomUniform StatelessRandomUniformV2
    StatelessRandomGetKeyCounter StatelessRandomGetAlg StatelessRandomNormal StatelessRandomNormalV2
    StatelessTruncatedNormal StatelessTruncatedNormalV2 Bitcast
    """
)
"""Operations that networks of the known kinds are made of."""

_LEARNING = listed(
    """
    Assign AssignAdd AssignSub AssignVariableOp AssignAddVariableOp AssignSubVariableOp CountUpTo
    IsVariableInitialized VarIsInitializedOp VariableShape DestroyResourceOp DisableCopyOnRead
    ResourceCountUpTo ReadVariableXlaSplitND
    ApplyGradientDescent ApplyMomentum ApplyAdam ApplyAdaMax ApplyAdagrad ApplyAdagradV2 ApplyAdagradDA ApplyAdadelta
    ApplyFtrl ApplyFtrlV2 ApplyRMSProp ApplyCenteredRMSProp ApplyProximalAdagrad ApplyProximalGradientDescent
    ApplyAddSign ApplyPowerSign
    ResourceApplyGradientDescent ResourceApplyMomentum ResourceApplyKerasMomentum ResourceApplyAdam
    ResourceApplyAdamWithAmsgrad ResourceApplyAdaMax ResourceApplyAdagrad ResourceApplyAdagradV2
    ResourceApplyAdagradDA ResourceApplyAdadelta ResourceApplyFtrl ResourceApplyFtrlV2 ResourceApplyRMSProp
    ResourceApplyCenteredRMSProp ResourceApplyProximalAdagrad ResourceApplyProximalGradientDescent
    ResourceApplyAddSign ResourceApplyPowerSign ScatterAdd ScatterSub ScatterUpdate ResourceScatterAdd
    ResourceScatterUpdate
    Conv2DBackpropInput Conv2DBackpropFilter DepthwiseConv2dNativeBackpropInput
    DepthwiseConv2dNativeBackpropFilter BiasAddGrad ReluGrad Relu6Grad LeakyReluGrad EluGrad SeluGrad SoftplusGrad
    SoftsignGrad SigmoidGrad TanhGrad MaxPoolGrad MaxPoolGradV2 AvgPoolGrad FusedBatchNormGrad FusedBatchNormGradV2
    FusedBatchNormGradV3 RsqrtGrad SqrtGrad InvGrad ReciprocalGrad MirrorPadGrad StridedSliceGrad
    BroadcastGradientArgs ConcatOffset InvertPermutation DynamicStitch DynamicPartition UnsortedSegmentSum SegmentSum
    SoftmaxCrossEntropyWithLogits SparseSoftmaxCrossEntropyWithLogits L2Loss ArgMax ArgMin OneHot InTopK InTopKV2 TopK
    TopKV2 Xdivy Xlogy Log1p Expm1 Erf BroadcastArgs GatherNd ScatterNd Reverse ReverseV2 Cumsum LinSpace Diag
    MatrixDiag Unique UniqueV2 SparseToDense Squeeze Roll RandomShuffle Multinomial ApproximateEqual Cosh Sinh
    ControlTrigger
    """
)
_KEEPING = listed(
    """
    SaveV2 RestoreV2 Save SaveSlices Restore RestoreSlice ShardedFilename ShardedFilespec MergeV2Checkpoints
    StringJoin StaticRegexFullMatch Assert ScalarSummary HistogramSummary ImageSummary MergeSummary TensorSummary
    TensorSummaryV2
    """
)

ALLOWED = CALLS | INFERENCE | _LEARNING | _KEEPING
"""All that may stand in a graph; what is outside `INFERENCE` is ignored."""
