/* Contexts: pictures in, H.264 out, by x264. */
#include "va.h"
#include "x264_own.h"

#include <stdlib.h>
#include <string.h>
#include <va/va_enc_h264.h>

struct context {
    struct config config;
    VASurfaceID target;
    /* Scaling. */
    VAProcPipelineParameterBuffer pipeline;
    int has_pipeline;
    /* Encoding. */
    x264_t *encoder;
    VAEncSequenceParameterBufferH264 sequence;
    VAEncPictureParameterBufferH264 picture;
    uint32_t bits_per_second, rate_numerator, rate_denominator;
    int64_t pictures;
    /* The SEI messages of the application for this picture, with their start codes. */
    uint8_t messages[2048];
    size_t messages_size;
    VAEncPackedHeaderType header;
};

static long open_contexts;

static VAStatus create_context(
    VADriverContextP driver, VAConfigID config, int width, int height, int flags, VASurfaceID *targets, int count,
    VAContextID *id) {
    (void)flags, (void)targets, (void)count;
    MAY_FAIL(driver, "CreateContext");
    struct config *wanted = object_find(CONFIG, config);
    if (!wanted) return VA_STATUS_ERROR_INVALID_CONFIG;
    if (width > limit(driver, "width", MOST_PIXELS) || height > limit(driver, "height", MOST_PIXELS))
        return VA_STATUS_ERROR_RESOLUTION_NOT_SUPPORTED;
    if (open_contexts >= limit(driver, "contexts", 64)) return VA_STATUS_ERROR_HW_BUSY;
    struct context *context = calloc(1, sizeof *context);
    context->config = *wanted;
    context->rate_numerator = 30;
    context->rate_denominator = 1;
    open_contexts++;
    *id = object_add(CONTEXT, context);
    return VA_STATUS_SUCCESS;
}

static VAStatus destroy_context(VADriverContextP driver, VAContextID id) {
    (void)driver;
    struct context *context = object_take(CONTEXT, id);
    if (!context) return VA_STATUS_ERROR_INVALID_CONTEXT;
    if (context->encoder) X264(x264_encoder_close)(context->encoder);
    free(context);
    open_contexts--;
    return VA_STATUS_SUCCESS;
}

static VAStatus begin_picture(VADriverContextP driver, VAContextID id, VASurfaceID target) {
    MAY_FAIL(driver, "BeginPicture");
    struct context *context = object_find(CONTEXT, id);
    if (!context) return VA_STATUS_ERROR_INVALID_CONTEXT;
    context->target = target;
    context->has_pipeline = 0;
    context->messages_size = 0;
    return VA_STATUS_SUCCESS;
}

static void take_parameter(struct context *context, const VAEncMiscParameterBuffer *parameter) {
    if (parameter->type == VAEncMiscParameterTypeRateControl) {
        context->bits_per_second = ((const VAEncMiscParameterRateControl *)parameter->data)->bits_per_second;
    } else if (parameter->type == VAEncMiscParameterTypeFrameRate) {
        uint32_t rate = ((const VAEncMiscParameterFrameRate *)parameter->data)->framerate;
        context->rate_numerator = rate & 0xffff;
        context->rate_denominator = rate >> 16 ? rate >> 16 : 1;
    }
}

static VAStatus take_message(struct context *context, const struct buffer *buffer) {
    if (buffer->size > sizeof context->messages - context->messages_size) return VA_STATUS_ERROR_NOT_ENOUGH_BUFFER;
    memcpy(context->messages + context->messages_size, buffer->bytes, buffer->size);
    context->messages_size += buffer->size;
    return VA_STATUS_SUCCESS;
}

static VAStatus render_picture(VADriverContextP driver, VAContextID id, VABufferID *buffers, int count) {
    MAY_FAIL(driver, "RenderPicture");
    struct context *context = object_find(CONTEXT, id);
    if (!context) return VA_STATUS_ERROR_INVALID_CONTEXT;
    for (int index = 0; index < count; index++) {
        struct buffer *buffer = object_find(BUFFER, buffers[index]);
        if (!buffer) return VA_STATUS_ERROR_INVALID_BUFFER;
        switch ((int)buffer->type) {
        case VAEncSequenceParameterBufferType:
            memcpy(&context->sequence, buffer->bytes, sizeof context->sequence);
            break;
        case VAEncPictureParameterBufferType: memcpy(&context->picture, buffer->bytes, sizeof context->picture); break;
        case VAEncMiscParameterBufferType:
            take_parameter(context, (const VAEncMiscParameterBuffer *)buffer->bytes);
            break;
        case VAEncPackedHeaderParameterBufferType:
            context->header = (VAEncPackedHeaderType)((const VAEncPackedHeaderParameterBuffer *)buffer->bytes)->type;
            break;
        case VAEncPackedHeaderDataBufferType: {
            /* The application's parameter sets would not match x264's slices. */
            VAStatus status =
                context->header == VAEncPackedHeaderRawData ? take_message(context, buffer) : VA_STATUS_SUCCESS;
            if (status) return status;
            break;
        }
        case VAProcPipelineParameterBufferType:
            memcpy(&context->pipeline, buffer->bytes, sizeof context->pipeline);
            context->has_pipeline = 1;
            break;
        }
    }
    return VA_STATUS_SUCCESS;
}

static x264_t *open_encoder(const struct context *context, const struct surface *surface) {
    x264_param_t parameters;
    X264(x264_param_default_preset)(&parameters, "ultrafast", "zerolatency");
    parameters.i_log_level = X264_LOG_ERROR;
    parameters.i_csp = X264_CSP_NV12;
    parameters.i_width = (int)surface->width;
    parameters.i_height = (int)surface->height;
    parameters.i_fps_num = context->rate_numerator;
    parameters.i_fps_den = context->rate_denominator;
    parameters.b_vfr_input = 0;
    parameters.i_threads = 1;
    parameters.b_sliced_threads = 0;
    /* The application decides which pictures are keyframes. */
    parameters.i_keyint_max = X264_KEYINT_MAX_INFINITE;
    parameters.i_scenecut_threshold = 0;
    parameters.i_bframe = 0;
    parameters.b_repeat_headers = 1;
    parameters.b_annexb = 1;
    if (context->config.rate_control & (VA_RC_CBR | VA_RC_VBR) && context->bits_per_second) {
        parameters.rc.i_rc_method = X264_RC_ABR;
        parameters.rc.i_bitrate = parameters.rc.i_vbv_max_bitrate = parameters.rc.i_vbv_buffer_size =
            (int)(context->bits_per_second / 1000);
    } else {
        parameters.rc.i_rc_method = X264_RC_CQP;
        parameters.rc.i_qp_constant = context->picture.pic_init_qp ? context->picture.pic_init_qp : 26;
    }
    parameters.b_cabac = context->config.profile != VAProfileH264ConstrainedBaseline;
    parameters.analyse.b_transform_8x8 = context->config.profile == VAProfileH264High;
    return X264(x264_encoder_open)(&parameters);
}

static VAStatus encode(struct context *context) {
    struct surface *surface = object_find(SURFACE, context->target);
    struct buffer *coded = object_find(BUFFER, context->picture.coded_buf);
    if (!surface || !coded) return VA_STATUS_ERROR_INVALID_SURFACE;
    if (!context->encoder) context->encoder = open_encoder(context, surface);
    if (!context->encoder) return VA_STATUS_ERROR_ENCODING_ERROR;
    x264_picture_t picture, encoded;
    X264(x264_picture_init)(&picture);
    picture.i_pts = context->pictures++;
    picture.i_type = context->picture.pic_fields.bits.idr_pic_flag ? X264_TYPE_IDR : X264_TYPE_P;
    picture.img.i_csp = X264_CSP_NV12;
    picture.img.i_plane = 2;
    picture.img.plane[0] = surface->bytes;
    picture.img.plane[1] = surface->bytes + (size_t)surface->pitch * surface->rows;
    picture.img.i_stride[0] = picture.img.i_stride[1] = (int)surface->pitch;
    x264_nal_t *units;
    int count;
    int size = X264(x264_encoder_encode)(context->encoder, &units, &count, &picture, &encoded);
    if (size <= 0 || (size_t)size + context->messages_size > coded->size) return VA_STATUS_ERROR_ENCODING_ERROR;
    /* Messages come after the parameter sets and before the first slice. */
    size_t before = 0;
    for (int index = 0; index < count && units[index].i_type != NAL_SLICE && units[index].i_type != NAL_SLICE_IDR;
         index++)
        before += (size_t)units[index].i_payload;
    memcpy(coded->bytes, units[0].p_payload, before);
    memcpy(coded->bytes + before, context->messages, context->messages_size);
    memcpy(coded->bytes + before + context->messages_size, units[0].p_payload + before, (size_t)size - before);
    memset(&coded->coded, 0, sizeof coded->coded);
    coded->coded.size = (uint32_t)size + (uint32_t)context->messages_size;
    coded->coded.buf = coded->bytes;
    return VA_STATUS_SUCCESS;
}

static VAStatus end_picture(VADriverContextP driver, VAContextID id) {
    struct context *context = object_find(CONTEXT, id);
    if (!context) return VA_STATUS_ERROR_INVALID_CONTEXT;
    int scales = context->config.entrypoint == VAEntrypointVideoProc;
    MAY_FAIL(driver, scales ? "Scale" : "EndPicture");
    if (is_gone(driver)) return VA_STATUS_ERROR_OPERATION_FAILED;
    if (!scales) return encode(context);
    return context->has_pipeline ? scale(&context->pipeline, context->target) : VA_STATUS_ERROR_INVALID_PARAMETER;
}

void add_encoding(struct VADriverVTable *table) {
    table->vaCreateContext = create_context;
    table->vaDestroyContext = destroy_context;
    table->vaBeginPicture = begin_picture;
    table->vaRenderPicture = render_picture;
    table->vaEndPicture = end_picture;
}
