#include "va.h"

#include "faults.h"

#include <errno.h>
#include <libdrm/drm.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <va/va_drmcommon.h>

#define FAULTS getenv("SOFTVA_FAULTS")

/* Returns the number of the render node on which this display was opened. */
static int gpu(VADriverContextP driver) {
    struct drm_state *state = driver->drm_state;
    struct stat info;
    return state && fstat(state->fd, &info) == 0 ? (int)minor(info.st_rdev) : ANY_GPU;
}

VAStatus fault(VADriverContextP driver, const char *call) {
    static const struct {
        const char *name;
        VAStatus status;
    } known[] = {
        {"HW_BUSY", VA_STATUS_ERROR_HW_BUSY},
        {"OPERATION_FAILED", VA_STATUS_ERROR_OPERATION_FAILED},
        {"ENCODING_ERROR", VA_STATUS_ERROR_ENCODING_ERROR},
        {"ALLOCATION_FAILED", VA_STATUS_ERROR_ALLOCATION_FAILED},
    };
    const char *action = fault_of(FAULTS, call, gpu(driver));
    if (!action) return VA_STATUS_SUCCESS;
    for (size_t index = 0; index < sizeof known / sizeof *known; index++)
        if (!strcmp(known[index].name, action)) return known[index].status;
    return atoi(action);
}

long limit(VADriverContextP driver, const char *name, long usual) { return limit_of(FAULTS, name, gpu(driver), usual); }

/* The kernel answers ENODEV for a GPU that was unplugged. */
int is_gone(VADriverContextP driver) {
    struct drm_state *state = driver->drm_state;
    struct drm_version version = {0};
    return state && ioctl(state->fd, DRM_IOCTL_VERSION, &version) < 0 && errno == ENODEV;
}

static int is_h264(VAProfile profile) {
    return profile == VAProfileH264High || profile == VAProfileH264Main || profile == VAProfileH264ConstrainedBaseline;
}

static VAStatus query_profiles(VADriverContextP driver, VAProfile *list, int *count) {
    /* The last profile is for processing pictures, not for streams. */
    static const VAProfile profiles[] = {
        VAProfileH264High, VAProfileH264Main, VAProfileH264ConstrainedBaseline, VAProfileHEVCMain, VAProfileNone,
    };
    MAY_FAIL(driver, "QueryConfigProfiles");
    *count = sizeof profiles / sizeof *profiles;
    memcpy(list, profiles, sizeof profiles);
    return VA_STATUS_SUCCESS;
}

static VAStatus query_entrypoints(VADriverContextP driver, VAProfile profile, VAEntrypoint *list, int *count) {
    *count = 0;
    if (is_h264(profile)) {
        list[(*count)++] = VAEntrypointVLD;
        if (!limit(driver, "noencoder", 0)) list[(*count)++] = VAEntrypointEncSlice;
    } else if (profile == VAProfileHEVCMain) {
        list[(*count)++] = VAEntrypointEncSliceLP;
    } else if (profile == VAProfileNone) {
        if (!limit(driver, "noscaler", 0)) list[(*count)++] = VAEntrypointVideoProc;
    } else {
        return VA_STATUS_ERROR_UNSUPPORTED_PROFILE;
    }
    return VA_STATUS_SUCCESS;
}

static unsigned attribute(
    VADriverContextP driver, VAProfile profile, VAEntrypoint entrypoint, VAConfigAttribType type) {
    int is_hevc = profile == VAProfileHEVCMain;
    int encodes = entrypoint == VAEntrypointEncSlice || entrypoint == VAEntrypointEncSliceLP;
    switch ((int)type) {
    case VAConfigAttribRTFormat: return VA_RT_FORMAT_YUV420;
    case VAConfigAttribRateControl:
        if (!encodes) break;
        return is_hevc ? VA_RC_CQP | VA_RC_QVBR : VA_RC_CQP | VA_RC_CBR | VA_RC_VBR | VA_RC_MB;
    case VAConfigAttribEncPackedHeaders:
        /* FFmpeg writes messages only for a driver that takes its parameter sets too. */
        return limit(driver, "messages", 0) ? VA_ENC_PACKED_HEADER_SEQUENCE | VA_ENC_PACKED_HEADER_MISC
                                            : VA_ENC_PACKED_HEADER_NONE;
    case VAConfigAttribEncMaxRefFrames: return encodes ? 1 : VA_ATTRIB_NOT_SUPPORTED;
    case VAConfigAttribEncMaxSlices: return encodes ? 1 : VA_ATTRIB_NOT_SUPPORTED;
    case VAConfigAttribMaxPictureWidth:
        return is_hevc ? VA_ATTRIB_NOT_SUPPORTED : (unsigned)limit(driver, "width", MOST_PIXELS);
    case VAConfigAttribMaxPictureHeight:
        return is_hevc ? VA_ATTRIB_NOT_SUPPORTED : (unsigned)limit(driver, "height", 2304);
    }
    return VA_ATTRIB_NOT_SUPPORTED;
}

static VAStatus get_attributes(
    VADriverContextP driver, VAProfile profile, VAEntrypoint entrypoint, VAConfigAttrib *list, int count) {
    for (int index = 0; index < count; index++)
        list[index].value = attribute(driver, profile, entrypoint, list[index].type);
    return VA_STATUS_SUCCESS;
}

static VAStatus create_config(
    VADriverContextP driver, VAProfile profile, VAEntrypoint entrypoint, VAConfigAttrib *list, int count,
    VAConfigID *id) {
    MAY_FAIL(driver, "CreateConfig");
    int is_missing = entrypoint == VAEntrypointEncSlice     ? (int)limit(driver, "noencoder", 0)
                     : entrypoint == VAEntrypointVideoProc ? (int)limit(driver, "noscaler", 0)
                                                           : 1;
    if (is_missing) return VA_STATUS_ERROR_UNSUPPORTED_ENTRYPOINT;
    struct config *config = calloc(1, sizeof *config);
    config->profile = profile;
    config->entrypoint = entrypoint;
    config->rate_control = VA_RC_CQP;
    for (int index = 0; index < count; index++)
        if (list[index].type == VAConfigAttribRateControl) config->rate_control = list[index].value;
    *id = object_add(CONFIG, config);
    return VA_STATUS_SUCCESS;
}

static VAStatus destroy_config(VADriverContextP driver, VAConfigID id) {
    (void)driver;
    free(object_take(CONFIG, id));
    return VA_STATUS_SUCCESS;
}

static VAStatus query_config(
    VADriverContextP driver, VAConfigID id, VAProfile *profile, VAEntrypoint *entrypoint, VAConfigAttrib *list,
    int *count) {
    (void)driver;
    struct config *config = object_find(CONFIG, id);
    if (!config) return VA_STATUS_ERROR_INVALID_CONFIG;
    *profile = config->profile;
    *entrypoint = config->entrypoint;
    list[0].type = VAConfigAttribRTFormat;
    list[0].value = VA_RT_FORMAT_YUV420;
    *count = 1;
    return VA_STATUS_SUCCESS;
}

static VAStatus not_here(void) { return VA_STATUS_ERROR_UNIMPLEMENTED; }

static VAStatus terminate(VADriverContextP driver) {
    (void)driver;
    return VA_STATUS_SUCCESS;
}

/* libva looks for the newest name that it knows, and then for older ones down to this one. */
__attribute__((visibility("default"))) VAStatus __vaDriverInit_1_0(VADriverContextP driver) {
    MAY_FAIL(driver, "Init");
    if (is_gone(driver)) return VA_STATUS_ERROR_OPERATION_FAILED;
    if (limit(driver, "talks", 0)) printf("lab driver: hello\n");
    driver->version_major = 1;
    driver->version_minor = 0;
    driver->max_profiles = 8;
    driver->max_entrypoints = 4;
    driver->max_attributes = 8;
    driver->max_image_formats = driver->max_subpic_formats = driver->max_display_attributes = 1;
    driver->str_vendor = "Lab VA driver";
    /* libva requires most functions, so the whole table of pointers is filled. */
    void **function = (void **)driver->vtable;
    for (size_t index = 0; index < offsetof(struct VADriverVTable, reserved) / sizeof *function; index++)
        function[index] = (void *)not_here;
#if VA_CHECK_VERSION(1, 21, 0)
    /* libva calls vaMapBuffer for a driver without it. */
    driver->vtable->vaMapBuffer2 = NULL;
#endif
    driver->vtable->vaTerminate = terminate;
    driver->vtable->vaQueryConfigProfiles = query_profiles;
    driver->vtable->vaQueryConfigEntrypoints = query_entrypoints;
    driver->vtable->vaGetConfigAttributes = get_attributes;
    driver->vtable->vaCreateConfig = create_config;
    driver->vtable->vaDestroyConfig = destroy_config;
    driver->vtable->vaQueryConfigAttributes = query_config;
    add_memory(driver->vtable);
    add_encoding(driver->vtable);
    if (driver->vtable_vpp) add_scaling(driver->vtable_vpp);
    return VA_STATUS_SUCCESS;
}
