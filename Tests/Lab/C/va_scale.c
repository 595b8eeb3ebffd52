/* Scaling by the nearest pixel. */
#include "va.h"

#include <string.h>
#include <va/va_backend_vpp.h>
#include <va/va_vpp.h>

static void scale_plane(
    uint8_t *to, unsigned to_pitch, unsigned to_width, unsigned to_height, const uint8_t *from, unsigned from_pitch,
    unsigned width, unsigned height, unsigned bytes) {
    for (unsigned y = 0; y < to_height; y++) {
        const uint8_t *row = from + (size_t)(y * height / to_height) * from_pitch;
        for (unsigned x = 0; x < to_width; x++)
            memcpy(to + (size_t)y * to_pitch + x * bytes, row + (size_t)(x * width / to_width) * bytes, bytes);
    }
}

VAStatus scale(const VAProcPipelineParameterBuffer *what, VASurfaceID target) {
    struct surface *from = object_find(SURFACE, what->surface), *to = object_find(SURFACE, target);
    if (!from || !to) return VA_STATUS_ERROR_INVALID_SURFACE;
    scale_plane(to->bytes, to->pitch, to->width, to->height, from->bytes, from->pitch, from->width, from->height, 1);
    scale_plane(
        to->bytes + (size_t)to->pitch * to->rows, to->pitch, to->width / 2, to->height / 2,
        from->bytes + (size_t)from->pitch * from->rows, from->pitch, from->width / 2, from->height / 2, 2);
    return VA_STATUS_SUCCESS;
}

static VAStatus query_filters(VADriverContextP driver, VAContextID context, VAProcFilterType *list, unsigned *count) {
    (void)driver, (void)context, (void)list;
    *count = 0;
    return VA_STATUS_SUCCESS;
}

static VAStatus query_pipeline(
    VADriverContextP driver, VAContextID context, VABufferID *filters, unsigned count, VAProcPipelineCaps *caps) {
    (void)driver, (void)context, (void)filters, (void)count;
    memset(caps, 0, sizeof *caps);
    return VA_STATUS_SUCCESS;
}

void add_scaling(struct VADriverVTableVPP *table) {
    table->version = VA_DRIVER_VTABLE_VPP_VERSION;
    table->vaQueryVideoProcFilters = query_filters;
    table->vaQueryVideoProcPipelineCaps = query_pipeline;
}
