//! An engine in Rust: the decode loop of examples/c through `extern "C"`, with a mask of bool bytes.
//! rustc decode.rs -L PREFIX/lib -l axismask
use std::ffi::CStr;
use std::os::raw::{c_char, c_void};
use std::ptr::{null, null_mut};

/// axismask_array: an array in memory of the caller.
#[repr(C)]
#[derive(Clone, Copy)]
struct Array {
    data: *mut c_void,
    dtype: i32,
    device: i32,
    ndim: i32,
    read_only: i32,
    shape: *const i64,
    strides: *const i64,
    axes: *const *const c_char,
}

#[repr(C)]
struct Input {
    name: *const c_char,
    array: Array,
}

#[repr(C)]
struct Error {
    id: *const c_char,
    place: *const c_char,
    what: *const c_char,
    cure: *const c_char,
    line: *const c_char,
}

// Handles are opaque.
enum Model {}
enum Layer {}
enum Ring {}

const INT32: i32 = 5;
const BOOL: i32 = 7;
const VERSION: i32 = 100; // AXISMASK_VERSION, 0.1.0

extern "C" {
    fn axismask_check_version(header_version: i32) -> i32;
    fn axismask_last_error() -> *const Error;
    fn axismask_model_parse(text: *const c_char, bytes: usize, source: *const c_char, model: *mut *mut Model) -> i32;
    fn axismask_model_free(model: *mut Model) -> i32;
    fn axismask_model_layer(model: *const Model, name: *const c_char, layer: *mut *const Layer) -> i32;
    fn axismask_write_mask(
        layer: *const Layer, out: *const Array, inputs: *const Input, input_count: usize, options: *const c_void,
    ) -> i32;
    fn axismask_positions_consecutive(first: i64, out: *const Array) -> i32;
    fn axismask_ring_capacity(window: i64, longest_chunk: i64, sinks: i64, slots: *mut i64) -> i32;
    fn axismask_ring_make(slots: *const Array, window: i64, sinks: i64, ring: *mut *mut Ring) -> i32;
    fn axismask_ring_tokens(ring: *const Ring, tokens: *mut i64) -> i32;
    fn axismask_ring_append(ring: *mut Ring, count: i64) -> i32;
    fn axismask_ring_free(ring: *mut Ring) -> i32;
}

/// A status as a Result, with the line of this thread's error.
fn check(status: i32) -> Result<(), String> {
    if status == 0 {
        return Ok(());
    }
    Err(unsafe { CStr::from_ptr((*axismask_last_error()).line) }.to_string_lossy().into_owned())
}

fn text(literal: &'static [u8]) -> *const c_char {
    literal.as_ptr().cast()
}

fn array(data: *mut c_void, dtype: i32, shape: &[i64], axes: &[*const c_char]) -> Array {
    let ndim = shape.len() as i32;
    Array { data, dtype, device: 0, ndim, read_only: 0, shape: shape.as_ptr(), strides: null(), axes: axes.as_ptr() }
}

fn decode() -> Result<(), String> {
    let spec = br#"{"axismask": 1, "model": "one local layer", "layers": [{"name": "layers.0",
        "type": "ApplyCausalSlidingWindowAttentionMask", "masked_out_value": "-inf", "sliding_window_size": 4,
        "query_positions_input_name": "query_positions", "kv_positions_input_name": "key_positions"}]}"#;
    let (query_axis, key_axis) = ([text(b"seq\0")], [text(b"kv_seq\0")]);
    let mask_axes = [query_axis[0], key_axis[0]];
    let (mut model, mut layer, mut cache, mut slots) = (null_mut(), null(), null_mut(), 0);
    unsafe {
        check(axismask_check_version(VERSION))?;
        check(axismask_model_parse(spec.as_ptr().cast(), spec.len(), text(b"decode.rs\0"), &mut model))?;
        check(axismask_model_layer(model, text(b"layers.0\0"), &mut layer))?;
        check(axismask_ring_capacity(4, 3, 0, &mut slots))?;
    }
    let mut keys = vec![0i32; slots as usize];
    let key_shape = [slots];
    let key_positions = array(keys.as_mut_ptr().cast(), INT32, &key_shape, &key_axis);
    unsafe { check(axismask_ring_make(&key_positions, 4, 0, &mut cache))? };
    for tokens in [3i64, 3, 1, 1, 1, 1, 1] {
        let mut queries = vec![0i32; tokens as usize];
        let mut mask = vec![false; (tokens * slots) as usize];
        let (query_shape, mask_shape) = ([tokens], [tokens, slots]);
        let query_positions = array(queries.as_mut_ptr().cast(), INT32, &query_shape, &query_axis);
        let out = array(mask.as_mut_ptr().cast(), BOOL, &mask_shape, &mask_axes);
        let inputs = [
            Input { name: text(b"query_positions\0"), array: query_positions },
            Input { name: text(b"key_positions\0"), array: key_positions },
        ];
        let mut first = 0;
        unsafe {
            check(axismask_ring_tokens(cache, &mut first))?;
            check(axismask_positions_consecutive(first, &query_positions))?;
            check(axismask_ring_append(cache, tokens))?;
            check(axismask_write_mask(layer, &out, inputs.as_ptr(), 2, null()))?;
        }
        let last = &mask[((tokens - 1) * slots) as usize..];
        // The library writes to `keys` through the pointer that it was given.
        let seen: Vec<String> = (0..slots as usize)
            .filter(|&slot| last[slot])
            .map(|slot| unsafe { *key_positions.data.cast::<i32>().add(slot) }.to_string())
            .collect();
        println!("query {:2} sees {}", queries[tokens as usize - 1], seen.join(" "));
    }
    unsafe {
        check(axismask_ring_free(cache))?;
        check(axismask_model_free(model))
    }
}

fn main() {
    if let Err(line) = decode() {
        eprintln!("{line}");
        std::process::exit(2);
    }
}
