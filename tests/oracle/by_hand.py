"""Maps of models that do not run over the stand-in, from their code as we read it. Each says where that stands."""


def all_bidirectional(config):
    return [("bidirectional", None)] * config.num_hidden_layers


def all_causal(config):
    return [("full", None)] * config.num_hidden_layers


def causal_if_it_says_so(config):
    return all_causal(config) if config.causal else all_bidirectional(config)


def longformer(config):
    windows = config.attention_window
    windows = windows if isinstance(windows, list) else [windows] * config.num_hidden_layers
    return [("bidirectional_sliding", window // 2 * 2 + 1) for window in windows]


READ = {
    # The mask is `mask * mask.squeeze(-2).unsqueeze(-1)` of padding; it is shown to XSoftmax or masked_fill.
    "deberta": (all_bidirectional, "deberta/modeling_deberta.py, DebertaEncoder.get_attention_mask"),
    "deberta-v2": (all_bidirectional, "deberta_v2/modeling_deberta_v2.py, DebertaV2Encoder.get_attention_mask"),
    "sew-d": (all_bidirectional, "sew_d/modeling_sew_d.py, SEWDTransformerEncoder.get_attention_mask"),
    # A mask of create_bidirectional_mask, but a softmax that is not seen: of integers, of a kernel beside it, or in
    # modules that are not called but whose forward is.
    "ibert": (all_bidirectional, "ibert/modeling_ibert.py, IBertModel.forward, IBertSelfAttention"),
    "convbert": (all_bidirectional, "convbert/modeling_convbert.py, ConvBertModel.forward, ConvBertSelfAttention"),
    "squeezebert": (all_bidirectional, "squeezebert/modeling_squeezebert.py, SqueezeBertModel.forward"),
    # Only padding, as key_padding_mask.
    "wavlm": (all_bidirectional, "wavlm/modeling_wavlm.py, WavLMAttention.torch_multi_head_self_attention"),
    "layoutlmv2": (all_bidirectional, "layoutlmv2/modeling_layoutlmv2.py, LayoutLMv2Model.forward"),
    "layoutxlm": (all_bidirectional, "layoutxlm/configuration_layoutxlm.py; the model is LayoutLMv2Model"),
    "xlm": (causal_if_it_says_so, "xlm/modeling_xlm.py, get_masks"),
    "flaubert": (causal_if_it_says_so, "flaubert/modeling_flaubert.py, get_masks"),
    # attention_window // 2 to each side, and the token itself.
    "longformer": (longformer, "longformer/modeling_longformer.py, LongformerSelfAttention"),
    # _make_causal_mask for every length above 1, whatever is_causal says.
    "kosmos-2": (all_causal, "kosmos2/modeling_kosmos2.py, Kosmos2TextTransformer._prepare_decoder_attention_mask"),
    "kosmos_2_text_model": (all_causal, "kosmos2/modeling_kosmos2.py, as for kosmos-2"),
}


def layer_map(config):
    """The map of a composite or a model of READ."""
    return READ[config.model_type][0](config.get_text_config(decoder=True))
