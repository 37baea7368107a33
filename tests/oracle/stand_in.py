"""A stand-in for torch that computes nothing: models run through it, and show which mask each attention gets.

A `Value` stands for any tensor, number or flag that a model makes. Every operation on it gives another one. The one
thing that it carries is a mask: what transformers.masking_utils made, and what it was combined with. A condition on a
Value is false, a loop over it runs no time.
"""

import dis
import importlib.util
import operator
import pathlib
import re
import sys
import types

import numpy as np

UNPACK = {dis.opmap["UNPACK_SEQUENCE"]: lambda count: count, dis.opmap["UNPACK_EX"]: lambda n: (n & 255) + 1 + (n >> 8)}
UNKNOWN = "a mask that the model computes for itself"


def both(one, other):
    """The mask of two: a key is seen if both show it."""
    if one is None or other is None or one is other:
        return one if other is None else other
    if UNKNOWN in (one, other):
        return UNKNOWN
    return lambda b, h, q, k: one(b, h, q, k) & other(b, h, q, k)


def differ(one, other):
    """The mask of keys that one of two shows, and not the other."""
    if UNKNOWN in (one, other) or None in (one, other):
        return UNKNOWN
    return lambda b, h, q, k: one(b, h, q, k) != other(b, h, q, k)


def mask_of(values):
    mask = None
    for value in values:
        if isinstance(value, Value):
            mask = both(mask, value.mask)
        elif isinstance(value, (tuple, list)):
            mask = both(mask, mask_of(value))
    return mask


class Value:
    __array_ufunc__ = None  # numpy leaves its operators to ours
    __hash__ = object.__hash__

    def __init__(self, *_, mask=None, shape=None, **__):
        self.mask = mask
        if shape is not None:
            self.shape = shape

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Value(mask=self.mask)

    def __call__(self, *arguments, **named):
        if len(arguments) == 1 and not named and isinstance(arguments[0], (type, types.FunctionType, classmethod)):
            return arguments[0]  # a decorator
        return Value(mask=both(self.mask, mask_of([*arguments, *named.values()])))

    def __getitem__(self, _):
        return Value(mask=self.mask)

    def chunk(self, count, dim=0):
        return row(count, self.mask)

    def split(self, sizes=None, dim=0, **_):
        return row(len(sizes), self.mask) if isinstance(sizes, (list, tuple)) else Value(mask=self.mask)

    def __setitem__(self, *_):
        pass

    def __iter__(self):
        """As many as are known to be there or as the caller unpacks, and none to a loop."""
        if "count" in self.__dict__:
            return iter([Value(mask=self.mask) for _ in range(self.count)])
        frame = sys._getframe(1)
        code = frame.f_code.co_code
        count = UNPACK.get(code[frame.f_lasti], lambda _: 0)(code[frame.f_lasti + 1])
        return iter([Value(mask=self.mask) for _ in range(count)])

    def __bool__(self):
        return False

    def __int__(self):
        return 1

    __index__ = __len__ = __int__

    def __float__(self):
        return 1.0

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False

    def __contains__(self, _):
        return False

    def __format__(self, _):
        return "value"


def row(count, mask=None):
    """A tensor of which it is known how many parts it has."""
    value = Value(mask=mask)
    if isinstance(count, int):
        value.count = count
    return value


def operation(self, *others):
    return Value(mask=both(self.mask, mask_of(others)))


for name in ("add sub mul truediv floordiv mod pow matmul and or xor lshift rshift").split():
    setattr(Value, f"__{name}__", operation)
    setattr(Value, f"__r{name}__", operation)
for name in ("eq ne lt le gt ge neg pos invert abs").split():
    setattr(Value, f"__{name}__", operation)


class Meta(type):
    """Of classes of which nothing is known: each name that they are asked for is a Value."""

    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Value()

    def __getitem__(cls, _):
        return Value()

    def __contains__(cls, _):
        return False

    def __iter__(cls):
        return iter(())


class Anything(metaclass=Meta):
    """A class of another library: its objects keep what they were made of, and know every other name."""

    def __init__(self, *values, **named):
        self.__dict__.update(named)
        self._values = [*values, *named.values()]

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Value()

    def __call__(self, *values, **named):
        return Value()(*values, **named)

    def __getitem__(self, key):
        if isinstance(key, str):
            return self.__dict__.get(key)
        return self._values[key] if isinstance(key, int) and key < len(self._values) else Value()

    def __setitem__(self, *_):
        pass

    def __iter__(self):
        return iter(self._values)

    def __contains__(self, _):
        return False

    def __bool__(self):
        return True


def named_anything(name):
    """What a name that a model imports stands for: a class if it is written like one."""
    if name[:1].isupper() and not name.replace("_", "").isupper():
        return Meta(name, (Anything,), {})
    return Value()


# ------------------------------------------------------------------------------------------------------ torch.nn


class Visit:
    """One call of a module that stands in a list of modules, and the attentions that ran in it."""

    def __init__(self, modules, index):
        self.modules, self.index, self.attentions = modules, index, []
        self.choosers, self.named_attention = set(), set()  # names of classes


class Events:
    """The calls of modules in the model's outermost lists, in order, and the attentions that ran in none of them."""

    def __init__(self):
        self.path, self.visits, self.outside, self.classes = [], [], [], []

    def attention(self, mask, module=None):
        (self.path[0].attentions if self.path else self.outside).append((mask, module))


events = Events()


class Module:
    training = False
    _load_from_state_dict = None

    def __init__(self, *_, **__):
        pass

    def __call__(self, *arguments, **named):
        if events.path and re.search("Indexer|Compressor", type(self).__name__):
            events.path[0].choosers.add(type(self).__name__)
        if events.path and re.search("Attention(Module)?$", type(self).__name__):
            events.path[0].named_attention.add(type(self).__name__)
        place = self.__dict__.get("_place")
        if place is not None:
            visit = Visit(*place)
            if not events.path:
                events.visits.append(visit)
            events.path.append(visit)
        events.classes.append(type(self).__name__)
        try:
            return self.forward(*arguments, **named)
        finally:
            events.classes.pop()
            if place is not None:
                events.path.pop()

    def forward(self, *values, **named):
        return Value()(*[value for value in values if isinstance(value, Value)])

    def register_buffer(self, name, value=None, persistent=True):
        setattr(self, name, value)

    register_parameter = register_buffer

    def add_module(self, name, module):
        setattr(self, name, module)

    register_module = add_module

    def modules(self):
        return iter(())

    parameters = named_parameters = named_modules = children = named_children = buffers = modules

    def apply(self, *_, **__):
        return self

    to = eval = train = requires_grad_ = half = float = apply

    @property
    def device(self):
        return Value()

    dtype = device


class Layer(Module):
    """A layer of torch's. No mask goes through a layer with weights; what goes through is hidden states."""

    def __init__(self, *_, **__):
        pass

    def forward(self, *_, **__):
        return Value()

    def __getattr__(self, name):
        if name.startswith("__") or name == "_place":
            raise AttributeError(name)
        return Value()


class Through(Layer):
    """Dropout, Identity: what it gives is what it was given."""

    def forward(self, value, *_, **__):
        return value


class Embedding(Layer):
    def forward(self, ids, *_):
        shape = getattr(ids, "shape", None)
        return Value(shape=(*shape, 1)) if isinstance(shape, tuple) else Value()


class Softmax(Layer):
    def forward(self, scores, *_, **__):
        return softmax(scores)


class ModuleList(Module):
    """A list of modules, each of which knows its place."""

    def __init__(self, modules=()):
        self.list = []
        self.extend(modules)

    def extend(self, modules):
        for module in modules:
            self.append(module)
        return self

    def append(self, module):
        if isinstance(module, Module):
            module.__dict__["_place"] = (self, len(self.list))
        self.list.append(module)
        return self

    def insert(self, index, module):
        self.list.insert(index, module)
        for place, one in enumerate(self.list):
            one.__dict__["_place"] = (self, place)

    def __iter__(self):
        return iter(self.list)

    def __len__(self):
        return len(self.list)

    def __getitem__(self, key):
        return self.list[key]

    def __setitem__(self, key, value):
        value.__dict__["_place"] = (self, key)
        self.list[key] = value


class Sequential(ModuleList):
    def __init__(self, *modules):
        if len(modules) == 1 and isinstance(modules[0], dict):
            modules = list(modules[0].values())
        super().__init__(modules)

    def add_module(self, _, module):
        self.append(module)

    def forward(self, value, *_, **__):
        for module in self.list:
            value = module(value)
        return value


class ModuleDict(Module, dict):
    def __init__(self, modules=()):
        dict.__init__(self, modules)

    __hash__ = object.__hash__


def softmax(scores=None, *_, **__):
    """Of an attention without an interface: of scores that have a mask, or in a class that is called so."""
    if isinstance(scores, Value) and scores.mask is not None:
        events.attention(scores.mask)
    elif "Attention" in next((name for name in reversed(events.classes) if name != "Softmax"), ""):
        events.attention(UNKNOWN)
    return Value()


def scaled_dot_product_attention(query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, **_):
    mask = attn_mask.mask if isinstance(attn_mask, Value) else None
    events.attention(causal if mask is None and is_causal is True else mask)
    return Value()


def causal(_, __, query, key):
    return key <= query


def attention_of_its_own(*_, **__):
    events.attention(UNKNOWN)
    return Value(), Value()


def tril(value, diagonal=0):
    if isinstance(diagonal, int):
        return Value(mask=both(mask_of([value]), lambda b, h, q, k: k <= q + diagonal))
    return Value(mask=UNKNOWN)


def triu(*_, **__):
    return Value(mask=UNKNOWN)  # what is above a diagonal may be what is shown, or what is not


def tensor(value=None, *_, **__):
    return np.array(value).view(Positions) if isinstance(value, bool) else Value()


def functions(**known):
    class Namespace(types.ModuleType):
        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            found = named_anything(name)
            setattr(self, name, found)
            return found

    space = Namespace("stand_in")
    vars(space).update(known)
    return space


def layer_class(name):
    return type(name, (Layer,), {})


def make_torch():
    functional = functions(softmax=softmax, multi_head_attention_forward=attention_of_its_own,
                           scaled_dot_product_attention=scaled_dot_product_attention)
    modules = dict(Module=Module, ModuleList=ModuleList, Sequential=Sequential, ModuleDict=ModuleDict,
                   Embedding=Embedding, Softmax=Softmax, functional=functional)
    for name in ("Linear LayerNorm RMSNorm Conv1d Conv2d Conv3d ConvTranspose1d "
                 "ConvTranspose2d BatchNorm1d BatchNorm2d BatchNorm3d GroupNorm GELU SiLU ReLU ReLU6 Tanh Sigmoid "
                 "LeakyReLU PReLU ELU GLU Mish Hardswish Hardsigmoid Softplus AvgPool1d AvgPool2d MaxPool1d MaxPool2d "
                 "AdaptiveAvgPool1d AdaptiveAvgPool2d Upsample Flatten Unfold Fold LSTM GRU GRUCell LSTMCell "
                 "ZeroPad2d ConstantPad1d ConstantPad2d ReflectionPad1d ReplicationPad1d PixelShuffle PixelUnshuffle "
                 "CrossEntropyLoss MSELoss BCEWithLogitsLoss L1Loss NLLLoss Bilinear EmbeddingBag InstanceNorm1d "
                 "InstanceNorm2d SyncBatchNorm Hardtanh AdaptiveMaxPool2d AdaptiveAvgPool3d ReflectionPad2d "
                 "TransformerEncoderLayer").split():
        modules[name] = layer_class(name)
    modules |= {name: Through for name in ("Dropout", "Dropout1d", "Dropout2d", "Identity")}
    modules["MultiheadAttention"] = MultiheadAttention
    nn = functions(**modules)
    nn.Parameter = nn.Buffer = lambda value=None, *_, **__: value if isinstance(value, Value) else Value()
    torch = functions(nn=nn, Tensor=Value, softmax=softmax, tril=tril, triu=triu, tensor=tensor, Size=tuple,
                      bitwise_xor=lambda one, other: Value(mask=differ(one.mask, other.mask)),
                      linspace=lambda _, __, steps, **___: row(steps), chunk=Value.chunk, split=Value.split)
    torch.__version__ = "2.15.0"
    return torch


class MultiheadAttention(Layer):
    def forward(self, *_, attn_mask=None, **__):
        events.attention(attn_mask.mask if isinstance(attn_mask, Value) else None)
        return Value(), Value()


# ------------------------------------------------------------------------------ transformers.masking_utils, by numpy


def load_masking_utils(transformers):
    """masking_utils as it is, over the stand-in. Its mask functions are functions of positions."""
    numbers = functions(Tensor=Value, bool=np.bool_, zeros=lambda *shape, **_: np.zeros(shape, np.int64))
    numbers.nn = functions()
    names = ["torch", "torch.nn", "torch.nn.functional", "torch._dynamo"]
    names += ["torch._dynamo._trace_wrapped_higher_order_op"]
    names += ["transformers.cache_utils", "transformers.generation.continuous_batching.cache"]
    before = {name: sys.modules[name] for name in names if name in sys.modules}
    for name in names:
        sys.modules[name] = functions() if name != "torch" else numbers
    try:
        path = pathlib.Path(transformers.__file__).parent / "masking_utils.py"
        spec = importlib.util.spec_from_file_location("transformers.masking_utils", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        for name in names:
            del sys.modules[name]
        sys.modules |= before
    return module


class Positions(np.ndarray):
    """Positions as torch's tensors, as much of them as mask functions use."""

    device = None

    def new_ones(self, shape, dtype):
        return np.ones(shape, np.bool_).view(Positions)

    def new_zeros(self, shape, dtype):
        return np.zeros(shape, np.bool_).view(Positions)

    def to(self, *_, **__):
        return self

    def __and__(self, other):
        return other if isinstance(other, Value) else super().__and__(other)

    def __or__(self, other):
        return other if isinstance(other, Value) else super().__or__(other)


def shown(mask, query, key):
    """Does the mask show these keys to these queries? None if it asks for more than positions."""
    query, key = (np.asarray(side, np.int64).view(Positions) for side in (query, key))
    seen = mask(0, 0, query, key)
    if isinstance(seen, Value):
        return None
    return np.broadcast_to(np.asarray(seen), np.broadcast_shapes(query.shape, key.shape))
