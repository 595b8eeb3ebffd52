/* Surfaces, images and buffers, all in plain memory. */
#include "va.h"

#include <stdlib.h>
#include <string.h>

static const VAImageFormat nv12 = {.fourcc = VA_FOURCC_NV12, .byte_order = VA_LSB_FIRST, .bits_per_pixel = 12};

static unsigned rounded(unsigned value, unsigned to) { return (value + to - 1) / to * to; }

// MARK: Surfaces

static VAStatus create_surfaces(
    VADriverContextP driver, unsigned format, unsigned width, unsigned height, VASurfaceID *ids, unsigned count,
    VASurfaceAttrib *list, unsigned attributes) {
    (void)list, (void)attributes;
    MAY_FAIL(driver, "CreateSurfaces");
    if (format != VA_RT_FORMAT_YUV420) return VA_STATUS_ERROR_UNSUPPORTED_RT_FORMAT;
    for (unsigned index = 0; index < count; index++) {
        struct surface *surface = calloc(1, sizeof *surface);
        surface->width = width;
        surface->height = height;
        surface->pitch = rounded(width, 64);
        surface->rows = rounded(height, 16);
        surface->bytes = calloc(surface->rows * 3 / 2, surface->pitch);
        ids[index] = object_add(SURFACE, surface);
    }
    return VA_STATUS_SUCCESS;
}

static VAStatus destroy_surfaces(VADriverContextP driver, VASurfaceID *ids, int count) {
    (void)driver;
    for (int index = 0; index < count; index++) {
        struct surface *surface = object_take(SURFACE, ids[index]);
        if (surface) free(surface->bytes);
        free(surface);
    }
    return VA_STATUS_SUCCESS;
}

static VAStatus query_surface_attributes(
    VADriverContextP driver, VAConfigID config, VASurfaceAttrib *list, unsigned *count) {
    const struct {
        VASurfaceAttribType type;
        unsigned flags;
        int value;
    } known[] = {
        {VASurfaceAttribPixelFormat, VA_SURFACE_ATTRIB_GETTABLE | VA_SURFACE_ATTRIB_SETTABLE, VA_FOURCC_NV12},
        {VASurfaceAttribMinWidth, VA_SURFACE_ATTRIB_GETTABLE, 16},
        {VASurfaceAttribMinHeight, VA_SURFACE_ATTRIB_GETTABLE, 16},
        {VASurfaceAttribMaxWidth, VA_SURFACE_ATTRIB_GETTABLE, (int)limit(driver, "width", MOST_PIXELS)},
        {VASurfaceAttribMaxHeight, VA_SURFACE_ATTRIB_GETTABLE, (int)limit(driver, "height", MOST_PIXELS)},
    };
    const unsigned all = sizeof known / sizeof *known;
    if (!object_find(CONFIG, config)) return VA_STATUS_ERROR_INVALID_CONFIG;
    for (unsigned index = 0; list && index < all && index < *count; index++) {
        list[index].type = known[index].type;
        list[index].flags = known[index].flags;
        list[index].value.type = VAGenericValueTypeInteger;
        list[index].value.value.i = known[index].value;
    }
    VAStatus status = list && *count < all ? VA_STATUS_ERROR_MAX_NUM_EXCEEDED : VA_STATUS_SUCCESS;
    *count = all;
    return status;
}

static VAStatus surface_status(VADriverContextP driver, VASurfaceID id, VASurfaceStatus *status) {
    (void)driver, (void)id;
    *status = VASurfaceReady;
    return VA_STATUS_SUCCESS;
}

/* The work is complete when EndPicture returns. */
static VAStatus sync_surface(VADriverContextP driver, VASurfaceID id) {
    MAY_FAIL(driver, "SyncSurface");
    return object_find(SURFACE, id) ? VA_STATUS_SUCCESS : VA_STATUS_ERROR_INVALID_SURFACE;
}

// MARK: Buffers

static VAStatus create_buffer(
    VADriverContextP driver, VAContextID context, VABufferType type, unsigned size, unsigned count, void *bytes,
    VABufferID *id) {
    (void)driver, (void)context;
    struct buffer *buffer = calloc(1, sizeof *buffer);
    buffer->type = type;
    buffer->size = (size_t)size * count;
    buffer->bytes = calloc(1, buffer->size);
    if (bytes) memcpy(buffer->bytes, bytes, buffer->size);
    *id = object_add(BUFFER, buffer);
    return VA_STATUS_SUCCESS;
}

static VAStatus destroy_buffer(VADriverContextP driver, VABufferID id) {
    (void)driver;
    struct buffer *buffer = object_take(BUFFER, id);
    if (buffer && !buffer->is_borrowed) free(buffer->bytes);
    free(buffer);
    return VA_STATUS_SUCCESS;
}

static VAStatus map_buffer(VADriverContextP driver, VABufferID id, void **bytes) {
    MAY_FAIL(driver, "MapBuffer");
    struct buffer *buffer = object_find(BUFFER, id);
    if (!buffer) return VA_STATUS_ERROR_INVALID_BUFFER;
    *bytes = buffer->type == VAEncCodedBufferType ? (void *)&buffer->coded : (void *)buffer->bytes;
    return VA_STATUS_SUCCESS;
}

static VAStatus unmap_buffer(VADriverContextP driver, VABufferID id) {
    (void)driver;
    return object_find(BUFFER, id) ? VA_STATUS_SUCCESS : VA_STATUS_ERROR_INVALID_BUFFER;
}

static VAStatus sync_buffer(VADriverContextP driver, VABufferID id, uint64_t nanoseconds) {
    (void)nanoseconds;
    MAY_FAIL(driver, "SyncBuffer");
    return object_find(BUFFER, id) ? VA_STATUS_SUCCESS : VA_STATUS_ERROR_INVALID_BUFFER;
}

// MARK: Images

static VAStatus query_formats(VADriverContextP driver, VAImageFormat *list, int *count) {
    (void)driver;
    list[0] = nv12;
    *count = 1;
    return VA_STATUS_SUCCESS;
}

static void make_image(
    VAImage *image, unsigned width, unsigned height, unsigned pitch, unsigned rows, uint8_t *borrowed) {
    struct buffer *buffer = calloc(1, sizeof *buffer);
    buffer->type = VAImageBufferType;
    buffer->size = (size_t)pitch * rows * 3 / 2;
    buffer->is_borrowed = borrowed != NULL;
    buffer->bytes = borrowed ? borrowed : calloc(1, buffer->size);
    memset(image, 0, sizeof *image);
    image->format = nv12;
    image->width = (uint16_t)width;
    image->height = (uint16_t)height;
    image->data_size = (uint32_t)buffer->size;
    image->num_planes = 2;
    image->pitches[0] = image->pitches[1] = pitch;
    image->offsets[1] = pitch * rows;
    image->buf = object_add(BUFFER, buffer);
    VAImage *kept = malloc(sizeof *kept);
    image->image_id = object_add(IMAGE, kept);
    *kept = *image;
}

static VAStatus create_image(VADriverContextP driver, VAImageFormat *format, int width, int height, VAImage *image) {
    (void)driver;
    if (format->fourcc != VA_FOURCC_NV12) return VA_STATUS_ERROR_INVALID_IMAGE_FORMAT;
    make_image(
        image, (unsigned)width, (unsigned)height, rounded((unsigned)width, 64), rounded((unsigned)height, 16), NULL);
    return VA_STATUS_SUCCESS;
}

static VAStatus derive_image(VADriverContextP driver, VASurfaceID id, VAImage *image) {
    (void)driver;
    struct surface *surface = object_find(SURFACE, id);
    if (!surface) return VA_STATUS_ERROR_INVALID_SURFACE;
    make_image(image, surface->width, surface->height, surface->pitch, surface->rows, surface->bytes);
    return VA_STATUS_SUCCESS;
}

static VAStatus destroy_image(VADriverContextP driver, VAImageID id) {
    VAImage *image = object_take(IMAGE, id);
    if (image) destroy_buffer(driver, image->buf);
    free(image);
    return VA_STATUS_SUCCESS;
}

static void copy_plane(
    uint8_t *to, unsigned to_pitch, const uint8_t *from, unsigned from_pitch, unsigned width, unsigned height) {
    for (unsigned row = 0; row < height; row++) memcpy(to + row * to_pitch, from + row * from_pitch, width);
}

static VAStatus copy(VASurfaceID surface_id, VAImageID image_id, unsigned width, unsigned height, int is_put) {
    struct surface *surface = object_find(SURFACE, surface_id);
    VAImage *image = object_find(IMAGE, image_id);
    struct buffer *buffer = image ? object_find(BUFFER, image->buf) : NULL;
    if (!surface || !buffer) return VA_STATUS_ERROR_INVALID_SURFACE;
    if (width > surface->width || height > surface->height || width > image->width || height > image->height)
        return VA_STATUS_ERROR_INVALID_PARAMETER;
    for (int plane = 0; plane < 2; plane++) {
        uint8_t *inside = surface->bytes + (plane ? (size_t)surface->pitch * surface->rows : 0);
        uint8_t *outside = buffer->bytes + image->offsets[plane];
        unsigned rows = plane ? (height + 1) / 2 : height;
        if (is_put) copy_plane(inside, surface->pitch, outside, image->pitches[plane], width, rows);
        else copy_plane(outside, image->pitches[plane], inside, surface->pitch, width, rows);
    }
    return VA_STATUS_SUCCESS;
}

static VAStatus get_image(
    VADriverContextP driver, VASurfaceID surface, int x, int y, unsigned width, unsigned height, VAImageID image) {
    (void)driver;
    return x || y ? VA_STATUS_ERROR_INVALID_PARAMETER : copy(surface, image, width, height, 0);
}

static VAStatus put_image(
    VADriverContextP driver, VASurfaceID surface, VAImageID image, int x, int y, unsigned width, unsigned height,
    int to_x, int to_y, unsigned to_width, unsigned to_height) {
    (void)driver;
    if (x || y || to_x || to_y || width != to_width || height != to_height) return VA_STATUS_ERROR_INVALID_PARAMETER;
    return copy(surface, image, width, height, 1);
}

void add_memory(struct VADriverVTable *table) {
    table->vaCreateSurfaces2 = create_surfaces;
    table->vaDestroySurfaces = destroy_surfaces;
    table->vaQuerySurfaceAttributes = query_surface_attributes;
    table->vaQuerySurfaceStatus = surface_status;
    table->vaSyncSurface = sync_surface;
    table->vaCreateBuffer = create_buffer;
    table->vaDestroyBuffer = destroy_buffer;
    table->vaMapBuffer = map_buffer;
    table->vaUnmapBuffer = unmap_buffer;
    table->vaSyncBuffer = sync_buffer;
    table->vaQueryImageFormats = query_formats;
    table->vaCreateImage = create_image;
    table->vaDeriveImage = derive_image;
    table->vaDestroyImage = destroy_image;
    table->vaGetImage = get_image;
    table->vaPutImage = put_image;
}
