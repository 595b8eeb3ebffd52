/* A VA-API driver without hardware: the real libva loads it, the real FFmpeg encodes with it, and x264 does the
 * work. It writes its parameter sets itself before every IDR picture, like drivers that take none from the
 * application. With the limit `messages` it takes the application's SEI messages. */
#ifndef LAB_VA_H
#define LAB_VA_H

#include <stdint.h>
#include <va/va.h>
#include <va/va_backend.h>

enum { MOST_PIXELS = 4096 };

enum kind { CONFIG = 1, SURFACE, BUFFER, IMAGE, CONTEXT };

struct config {
    VAProfile profile;
    VAEntrypoint entrypoint;
    uint32_t rate_control;
};

/* NV12. */
struct surface {
    unsigned width, height, pitch, rows;
    uint8_t *bytes;
};

struct buffer {
    VABufferType type;
    size_t size;
    uint8_t *bytes;
    int is_borrowed;
    VACodedBufferSegment coded;
};

/* va_objects.c: ids for the objects of the application. */
VAGenericID object_add(enum kind kind, void *object);
void *object_find(enum kind kind, VAGenericID id);
void *object_take(enum kind kind, VAGenericID id);

/* va.c */
VAStatus fault(VADriverContextP driver, const char *call);
long limit(VADriverContextP driver, const char *name, long usual);
int is_gone(VADriverContextP driver);

/* va_memory.c, va_encode.c, va_scale.c: each sets its part of the table. */
void add_memory(struct VADriverVTable *table);
void add_encoding(struct VADriverVTable *table);
void add_scaling(struct VADriverVTableVPP *table);

/* va_scale.c */
VAStatus scale(const VAProcPipelineParameterBuffer *what, VASurfaceID target);

/* Returns from the calling function if the file has a fault for this call. */
#define MAY_FAIL(driver, call) do { VAStatus status_ = fault(driver, call); if (status_) return status_; } while (0)

#endif
