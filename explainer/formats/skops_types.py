"""Types that a skops file may hold beyond those skops itself trusts, each with the reason why it is safe enough.

skops checks only that an object is of a named type. A type is listed here when building one runs no code that the
file can choose, and when a hostile content is either harmless or found by `fitted.unsound` before the first prediction.
Not listed, on purpose: KDTree and BallTree (indices used unchecked by native code; fit neighbours with
`algorithm='brute'`), scorers and metadata requests (name functions to call), anything of another library.
"""

from __future__ import annotations

from types import MappingProxyType

_CHECKED = "its node numbers and features are checked by ours before the first prediction"
_NUMBERS = "holds numbers only; its methods use numpy"
_LOSS = "a stateless loss or link of boosted and linear models"

REVIEWED: MappingProxyType[str, str] = MappingProxyType(
    {
        "numpy.dtype": "read by numpy.load without pickle, from an empty array",
        "scipy.sparse._csr.csr_matrix": "read by scipy without pickle; its indices are checked by ours before use",
        "scipy.sparse._csr.csr_array": "read by scipy without pickle; its indices are checked by ours before use",
        "sklearn.tree._tree.Tree": _CHECKED,
        "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor": _CHECKED,
        "sklearn.ensemble._hist_gradient_boosting.binning._BinMapper": _NUMBERS,
        "functools.partial": "calls only functions that are listed or trusted themselves, which are harmless",
        "sklearn.utils.validation.check_array": "converts an array; HistGradientBoosting keeps a partial of it",
        "sklearn.compose._column_transformer.make_column_selector": "a pattern and dtypes; used while fitting only",
        "sklearn.compose._column_transformer._RemainderColsList": "a list of column names or numbers",
        "sklearn.calibration._CalibratedClassifier": "an estimator and its calibrators, themselves checked",
        "sklearn.calibration._SigmoidCalibration": _NUMBERS,
        "sklearn.calibration._TemperatureScaling": _NUMBERS,
        "sklearn.multiclass._ConstantPredictor": _NUMBERS,
        "sklearn.utils._bunch.Bunch": "a dictionary of parts that are checked themselves",
        "sklearn.neural_network._stochastic_optimizers.AdamOptimizer": "used while fitting only",
        "sklearn.neural_network._stochastic_optimizers.SGDOptimizer": "used while fitting only",
        "sklearn.gaussian_process._gpc._BinaryGaussianProcessClassifierLaplace": _NUMBERS,
        **{
            f"sklearn.gaussian_process.kernels.{kernel}": _NUMBERS
            for kernel in (
                "ConstantKernel", "DotProduct", "Exponentiation", "ExpSineSquared", "Matern", "Product", "RBF",
                "RationalQuadratic", "Sum", "WhiteKernel",
            )
        },
        **{
            f"sklearn._loss.link.{link}": _LOSS
            for link in ("HalfLogitLink", "IdentityLink", "Interval", "LogLink", "LogitLink", "MultinomialLogit")
        },
        **{
            f"sklearn._loss.loss.{loss}": _LOSS
            for loss in (
                "AbsoluteError", "ExponentialLoss", "HalfBinomialLoss", "HalfGammaLoss", "HalfMultinomialLoss",
                "HalfPoissonLoss", "HalfSquaredError", "HalfTweedieLoss", "HalfTweedieLossIdentity", "HuberLoss",
                "PinballLoss",
            )
        },
    }
)  # fmt: skip

LOADERS = frozenset(
    {
        "BytearrayNode", "BytesNode", "CachedNode", "ConstructorFromReduceNode", "DTypeNode", "DefaultDictNode",
        "DictNode", "FunctionNode", "JsonNode", "ListNode", "LossNode", "MaskedArrayNode", "NdArrayNode", "ObjectNode",
        "PartialNode", "RandomGeneratorNode", "RandomStateNode", "SetNode", "SliceNode", "SparseMatrixNode", "TreeNode",
        "TupleNode", "TypeNode",
    }
)  # fmt: skip
"""Kinds of node that models need. Left out: bound methods and operator functions, which let a file compose calls."""
