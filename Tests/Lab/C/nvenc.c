/* Simulates NVIDIA's libnvidia-encode.so.1: H.264 by x264, one picture in, one picture out. */
#include "faults.h"
#include "x264_own.h"

#include <ffnvcodec/dynlink_cuda.h>
#include <ffnvcodec/nvEncodeAPI.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define FAULTS getenv("SOFTNV_FAULTS")
#define MAY_FAIL(call) \
    do { \
        const char *action_ = fault_of(FAULTS, call, ANY_GPU); \
        if (action_) return (NVENCSTATUS)atoi(action_); \
    } while (0)

static long limit(const char *name, long usual) { return limit_of(FAULTS, name, ANY_GPU, usual); }

/* An input picture, which the application fills. */
struct input {
    unsigned width, height, pitch;
    NV_ENC_BUFFER_FORMAT format;
    uint8_t *bytes;
};

/* An encoded picture. */
struct output {
    uint8_t *bytes;
    size_t size, room;
    uint64_t time;
    NV_ENC_PIC_TYPE type;
};

struct session {
    int slot;
    x264_param_t parameters;
    x264_t *encoder;
    int64_t pictures;
};

// MARK: Sessions

/* Sessions are counted over all processes, as in a real driver: each holds the lock of a slot, which the kernel
 * releases when the process ends. */
static int take_slot(void) {
    const char *file = FAULTS;
    long most = limit("sessions", 8);
    for (long index = 0; index < most; index++) {
        char path[4096];
        snprintf(path, sizeof path, "%s.session-%ld", file ? file : "/tmp/softnv", index);
        int slot = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (slot >= 0 && flock(slot, LOCK_EX | LOCK_NB) == 0) return slot;
        if (slot >= 0) close(slot);
    }
    return -1;
}

static NVENCSTATUS open_session(NV_ENC_OPEN_ENCODE_SESSION_EX_PARAMS *what, void **session) {
    (void)what;
    MAY_FAIL("OpenSession");
    int slot = take_slot();
    if (slot < 0) return NV_ENC_ERR_OUT_OF_MEMORY;
    struct session *made = calloc(1, sizeof *made);
    made->slot = slot;
    *session = made;
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS close_session(void *handle) {
    struct session *session = handle;
    if (session->encoder) X264(x264_encoder_close)(session->encoder);
    close(session->slot);
    free(session);
    return NV_ENC_SUCCESS;
}

// MARK: Capabilities

static NVENCSTATUS codec_count(void *session, uint32_t *count) {
    (void)session;
    *count = 1;
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS codecs(void *session, GUID *list, uint32_t room, uint32_t *count) {
    (void)session;
    if (room) list[0] = NV_ENC_CODEC_H264_GUID;
    *count = 1;
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS capability(void *session, GUID codec, NV_ENC_CAPS_PARAM *what, int *value) {
    (void)session, (void)codec;
    switch ((int)what->capsToQuery) {
    case NV_ENC_CAPS_WIDTH_MAX: *value = (int)limit("width", 4096); break;
    case NV_ENC_CAPS_HEIGHT_MAX: *value = 4096; break;
    case NV_ENC_CAPS_SUPPORT_CABAC:
    case NV_ENC_CAPS_SUPPORT_DYN_BITRATE_CHANGE: *value = 1; break;
    default: *value = 0;
    }
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS preset(
    void *session, GUID codec, GUID name, NV_ENC_TUNING_INFO tuning, NV_ENC_PRESET_CONFIG *preset) {
    (void)session, (void)codec, (void)name, (void)tuning;
    NV_ENC_CONFIG *config = &preset->presetCfg;
    config->profileGUID = NV_ENC_H264_PROFILE_HIGH_GUID;
    config->gopLength = 250;
    config->frameIntervalP = 1;
    config->frameFieldMode = NV_ENC_PARAMS_FRAME_FIELD_MODE_FRAME;
    config->rcParams.rateControlMode = NV_ENC_PARAMS_RC_VBR;
    config->rcParams.averageBitRate = 2000000;
    config->encodeCodecConfig.h264Config.idrPeriod = 250;
    return NV_ENC_SUCCESS;
}

// MARK: Encoding

static NVENCSTATUS initialize(void *handle, NV_ENC_INITIALIZE_PARAMS *what) {
    MAY_FAIL("Initialize");
    struct session *session = handle;
    const NV_ENC_CONFIG *config = what->encodeConfig;
    x264_param_t *parameters = &session->parameters;
    X264(x264_param_default_preset)(parameters, "ultrafast", "zerolatency");
    parameters->i_log_level = X264_LOG_ERROR;
    parameters->i_width = (int)what->encodeWidth;
    parameters->i_height = (int)what->encodeHeight;
    parameters->i_fps_num = what->frameRateNum;
    parameters->i_fps_den = what->frameRateDen;
    parameters->b_vfr_input = 0;
    parameters->i_threads = 1;
    parameters->b_sliced_threads = 0;
    parameters->i_keyint_max =
        config->gopLength == NVENC_INFINITE_GOPLENGTH ? X264_KEYINT_MAX_INFINITE : (int)config->gopLength;
    parameters->i_scenecut_threshold = 0;
    parameters->b_repeat_headers = !config->encodeCodecConfig.h264Config.disableSPSPPS;
    int bitrate = (int)(config->rcParams.averageBitRate / 1000);
    parameters->rc.i_rc_method = X264_RC_ABR;
    parameters->rc.i_bitrate = parameters->rc.i_vbv_max_bitrate = parameters->rc.i_vbv_buffer_size =
        bitrate ? bitrate : 2000;
    return NV_ENC_SUCCESS;
}

/* The first picture determines the format. */
static x264_t *encoder(struct session *session, int colours) {
    if (!session->encoder) {
        session->parameters.i_csp = colours;
        session->encoder = X264(x264_encoder_open)(&session->parameters);
    }
    return session->encoder;
}

static NVENCSTATUS create_input(void *session, NV_ENC_CREATE_INPUT_BUFFER *what) {
    (void)session;
    struct input *input = calloc(1, sizeof *input);
    input->width = what->width;
    input->height = what->height;
    input->pitch = (what->width + 127) & ~127u;
    input->format = what->bufferFmt;
    input->bytes = calloc(input->pitch, what->height * 2);
    what->inputBuffer = input;
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS destroy_input(void *session, NV_ENC_INPUT_PTR handle) {
    (void)session;
    struct input *input = handle;
    if (input) free(input->bytes);
    free(input);
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS lock_input(void *session, NV_ENC_LOCK_INPUT_BUFFER *what) {
    (void)session;
    MAY_FAIL("LockInputBuffer");
    struct input *input = what->inputBuffer;
    what->bufferDataPtr = input->bytes;
    what->pitch = input->pitch;
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS unlock_input(void *session, NV_ENC_INPUT_PTR input) {
    (void)session, (void)input;
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS create_output(void *session, NV_ENC_CREATE_BITSTREAM_BUFFER *what) {
    (void)session;
    what->bitstreamBuffer = calloc(1, sizeof(struct output));
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS destroy_output(void *session, NV_ENC_OUTPUT_PTR handle) {
    (void)session;
    struct output *output = handle;
    if (output) free(output->bytes);
    free(output);
    return NV_ENC_SUCCESS;
}

static void describe(x264_picture_t *picture, const struct input *input) {
    int is_planar = input->format == NV_ENC_BUFFER_FORMAT_YV12_PL;
    picture->img.i_csp = is_planar ? X264_CSP_YV12 : X264_CSP_NV12;
    picture->img.i_plane = is_planar ? 3 : 2;
    picture->img.plane[0] = input->bytes;
    picture->img.plane[1] = input->bytes + (size_t)input->pitch * input->height;
    picture->img.i_stride[0] = (int)input->pitch;
    picture->img.i_stride[1] = is_planar ? (int)input->pitch / 2 : (int)input->pitch;
    if (!is_planar) return;
    picture->img.plane[2] = picture->img.plane[1] + (size_t)(input->pitch / 2) * (input->height / 2);
    picture->img.i_stride[2] = (int)input->pitch / 2;
}

static NVENCSTATUS encode(void *handle, NV_ENC_PIC_PARAMS *what) {
    struct session *session = handle;
    if (what->encodePicFlags & NV_ENC_PIC_FLAG_EOS) return NV_ENC_SUCCESS;
    MAY_FAIL("EncodePicture");
    struct input *input = what->inputBuffer;
    struct output *output = what->outputBitstream;
    if (input->format != NV_ENC_BUFFER_FORMAT_YV12_PL && input->format != NV_ENC_BUFFER_FORMAT_NV12_PL)
        return NV_ENC_ERR_UNSUPPORTED_PARAM;
    x264_picture_t picture, encoded;
    X264(x264_picture_init)(&picture);
    describe(&picture, input);
    picture.i_pts = session->pictures++;
    picture.i_type = what->encodePicFlags & NV_ENC_PIC_FLAG_FORCEIDR ? X264_TYPE_IDR : X264_TYPE_AUTO;
    x264_nal_t *units;
    int count;
    x264_t *x264 = encoder(session, X264_CSP_NV12);
    int size = x264 ? X264(x264_encoder_encode)(x264, &units, &count, &picture, &encoded) : -1;
    if (size <= 0) return NV_ENC_ERR_GENERIC;
    if (output->room < (size_t)size) output->bytes = realloc(output->bytes, output->room = (size_t)size);
    memcpy(output->bytes, units[0].p_payload, (size_t)size);
    output->size = (size_t)size;
    output->time = what->inputTimeStamp;
    output->type = encoded.i_type == X264_TYPE_IDR ? NV_ENC_PIC_TYPE_IDR
        : IS_X264_TYPE_I(encoded.i_type)           ? NV_ENC_PIC_TYPE_I
                                                   : NV_ENC_PIC_TYPE_P;
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS lock_output(void *session, NV_ENC_LOCK_BITSTREAM *what) {
    (void)session;
    MAY_FAIL("LockBitstream");
    const struct output *output = what->outputBitstream;
    what->bitstreamBufferPtr = output->bytes;
    what->bitstreamSizeInBytes = (uint32_t)output->size;
    what->outputTimeStamp = output->time;
    what->pictureType = output->type;
    what->frameAvgQP = 26;
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS unlock_output(void *session, NV_ENC_OUTPUT_PTR output) {
    (void)session, (void)output;
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS parameter_sets(void *handle, NV_ENC_SEQUENCE_PARAM_PAYLOAD *what) {
    x264_t *x264 = encoder(handle, X264_CSP_NV12);
    if (!x264) return NV_ENC_ERR_GENERIC;
    x264_nal_t *units;
    int count;
    uint32_t size = 0;
    X264(x264_encoder_headers)(x264, &units, &count);
    for (int index = 0; index < count; index++) {
        uint32_t length = (uint32_t)units[index].i_payload;
        if (units[index].i_type == NAL_SEI || size + length > what->inBufferSize) continue;
        memcpy((uint8_t *)what->spsppsBuffer + size, units[index].p_payload, length);
        size += length;
    }
    *what->outSPSPPSPayloadSize = size;
    return NV_ENC_SUCCESS;
}

static NVENCSTATUS set_streams(void *session, NV_ENC_CUSTREAM_PTR in, NV_ENC_CUSTREAM_PTR out) {
    (void)session, (void)in, (void)out;
    return NV_ENC_SUCCESS;
}

static const char *last_error(void *session) {
    (void)session;
    return "as the file of faults says";
}

// MARK: The library

NVENCSTATUS NvEncodeAPIGetMaxSupportedVersion(uint32_t *version) {
    *version = (uint32_t)limit("version", NVENCAPI_MAJOR_VERSION << 4 | NVENCAPI_MINOR_VERSION);
    return NV_ENC_SUCCESS;
}

NVENCSTATUS NvEncodeAPICreateInstance(NV_ENCODE_API_FUNCTION_LIST *list) {
    list->nvEncOpenEncodeSessionEx = open_session;
    list->nvEncDestroyEncoder = close_session;
    list->nvEncGetEncodeGUIDCount = codec_count;
    list->nvEncGetEncodeGUIDs = codecs;
    list->nvEncGetEncodeCaps = capability;
    list->nvEncGetEncodePresetConfigEx = preset;
    list->nvEncInitializeEncoder = initialize;
    list->nvEncSetIOCudaStreams = set_streams;
    list->nvEncCreateInputBuffer = create_input;
    list->nvEncDestroyInputBuffer = destroy_input;
    list->nvEncLockInputBuffer = lock_input;
    list->nvEncUnlockInputBuffer = unlock_input;
    list->nvEncCreateBitstreamBuffer = create_output;
    list->nvEncDestroyBitstreamBuffer = destroy_output;
    list->nvEncEncodePicture = encode;
    list->nvEncLockBitstream = lock_output;
    list->nvEncUnlockBitstream = unlock_output;
    list->nvEncGetSequenceParams = parameter_sets;
    list->nvEncGetLastErrorString = last_error;
    return NV_ENC_SUCCESS;
}
