"""What each layer of a model lets its tokens see, as the model does it: its mask functions, asked at positions."""

import collections

import numpy as np

import model_run
from stand_in import UNKNOWN, events, shown

FAR = 1 << 40  # a query that is far from both ends


# Attention over something else than the row's tokens.
NOT_OVER_TOKENS = {"Inkling2BlockAttentionResidual": "what the layers before it gave"}
# Classes that are called attention and have none over keys: states that are carried on from token to token.
RECURRENT = {"BailingHybridDeltaAttention", "Glm5NextTextLinearAttention", "KimiLinearDeltaAttention",
             "MiniMaxLightningAttention", "RwkvSelfAttention"}


class Unclear(Exception):
    """What the layers see is not a matter of positions alone, or is not found out here."""


def farthest(sees, limit):
    """The largest distance up to limit at which a key is seen, if all nearer ones are."""
    low, high = 0, 1
    while high < limit and sees(high):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if sees(middle) else (low, middle)
    return low if high < limit else None


FORMULAS = {
    "full": lambda q, k, _: k <= q,
    "bidirectional": lambda q, k, _: q >= 0,
    "sliding": lambda q, k, size: (k <= q) & (q - k < size),
    "bidirectional_sliding": lambda q, k, size: np.abs(q - k) <= size // 2,
    "chunked": lambda q, k, size: (k <= q) & (k // size == q // size),
}


def named_mask(mask):
    """The kind and size of a mask function, proved at the positions at which masks of that size can differ."""
    if mask is None:
        return "bidirectional", None
    if mask is UNKNOWN:
        raise Unclear("a mask that the model computes for itself")
    if shown(mask, FAR, FAR) is None:
        raise Unclear("a mask that asks for more than positions")
    back = farthest(lambda distance: bool(shown(mask, FAR, FAR - distance)), FAR // 2)
    ahead = farthest(lambda distance: bool(shown(mask, FAR, FAR + distance)), FAR // 2)
    if back is None and ahead is None:
        found = "bidirectional", None
    elif back is None and ahead == 0:
        found = "full", None
    elif ahead == 0:
        found = "sliding", back + 1
        if back == 0 and not shown(mask, FAR + 1, FAR):  # itself alone, and not the first of a chunk
            return found
        first = FAR - back
        last = first + farthest(lambda distance: bool(shown(mask, first + distance, first)), FAR // 2)
        if not shown(mask, last + 1, first + 1):
            found = "chunked", last + 1 - first
    else:
        found = "bidirectional_sliding", 2 * back + 1 if back is not None else None
    kind, size = found
    numbers = {n * each // 2 + step for each in (size or 4, 4, 1000) for n in range(7) for step in (-2, -1, 0, 1, 2)}
    at = np.array(sorted(number for number in numbers if number >= 0), np.int64)
    query, key = at[:, None], at[None, :]
    if kind == "bidirectional_sliding" and size is None:
        raise Unclear("a mask whose two sides differ")
    formula = np.broadcast_to(FORMULAS[kind](query, key, size), (at.size,) * 2)
    if not np.array_equal(shown(mask, query, key), formula):
        raise Unclear(f"a mask of another kind, near {found}")
    return found


def check_that_none_is_unseen(visit):
    unseen = visit.named_attention - RECURRENT
    if unseen and not visit.attentions:
        raise Unclear(f"what {', '.join(sorted(unseen))} does is not seen")


def layer_map(config, model=None):
    """[(kind, size)] of the model's layers."""
    model_run.run(config, model)
    attentions = collections.Counter()
    lists = {}
    for visit in events.visits:
        lists[id(visit.modules)] = visit.modules
        attentions[id(visit.modules)] += len(visit.attentions)
    with_attention = [lists[key] for key, count in attentions.items() if count]
    if not with_attention:
        if events.outside:  # of a pooling head beside layers, it does not matter
            raise Unclear("attention outside of its lists of layers")
        main = max(lists.values(), key=len, default=[])
        if not main:
            raise Unclear("no layers are seen")
        for visit in events.visits:
            check_that_none_is_unseen(visit)
        return [("none", None)] * len(main)
    if len(with_attention) > 1:
        raise Unclear("several lists of layers have attention: " + ", ".join(str(len(one)) for one in with_attention))
    main = with_attention[0]
    visits = [visit for visit in events.visits if visit.modules is main]
    if len({visit.index for visit in visits}) < len(main):
        raise Unclear("layers that run only with other inputs")
    if "reference_sliding_attention" in (getattr(config, "layer_types", None) or ()):
        raise Unclear("a window over what is generated, and none over what was given")
    count = getattr(config, "num_hidden_layers", None) or 0
    result, known = [], {}
    for visit in visits[:max(len(main), count)]:
        start = len(result)
        if visit.choosers:
            raise Unclear(f"{', '.join(sorted(visit.choosers))} chooses keys by what they hold")
        for mask, module in visit.attentions:
            if type(module).__name__ in NOT_OVER_TOKENS:
                continue
            if mask is None and getattr(module, "is_causal", False) is True:
                raise Unclear("no mask, and causal or not by its backend")
            if mask not in known:
                known[mask] = named_mask(mask)
            result.append(known[mask])
        if not visit.attentions:
            check_that_none_is_unseen(visit)
            result.append(("none", None))
        if len(set(result[start:])) == 1 and count == len(main):  # several softmaxes of one layer, all alike
            del result[start + 1:]
    return result
