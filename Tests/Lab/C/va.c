/* A VA-API driver for the real libva that has no hardware: it says what it could encode, and encodes nothing.
 * $LAB_VA makes it misbehave: refuse, crash, hang, talk. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <va/va.h>
#include <va/va_backend.h>

static int is_asked_to(const char *what) {
    const char *fault = getenv("LAB_VA");
    return fault && !strcmp(fault, what);
}

static VAStatus not_here(void) { return VA_STATUS_ERROR_UNIMPLEMENTED; }

static VAStatus terminate(VADriverContextP context) {
    (void)context;
    return VA_STATUS_SUCCESS;
}

static VAStatus profiles(VADriverContextP context, VAProfile *list, int *count) {
    (void)context;
    list[0] = VAProfileH264High;
    list[1] = VAProfileHEVCMain;
    list[2] = VAProfileNone; /* for what is done to pictures, not to streams */
    *count = 3;
    return VA_STATUS_SUCCESS;
}

static VAStatus entrypoints(VADriverContextP context, VAProfile profile, VAEntrypoint *list, int *count) {
    (void)context;
    *count = 1;
    switch (profile) {
    case VAProfileH264High:
        list[0] = VAEntrypointVLD;
        list[1] = VAEntrypointEncSlice;
        *count = 2;
        return VA_STATUS_SUCCESS;
    case VAProfileHEVCMain: list[0] = VAEntrypointEncSliceLP; return VA_STATUS_SUCCESS;
    case VAProfileNone: list[0] = VAEntrypointVideoProc; return VA_STATUS_SUCCESS;
    default: return VA_STATUS_ERROR_UNSUPPORTED_PROFILE;
    }
}

static VAStatus attributes(VADriverContextP context, VAProfile profile, VAEntrypoint entrypoint, VAConfigAttrib *list, int count) {
    (void)context, (void)entrypoint;
    int is_hevc = profile == VAProfileHEVCMain;
    for (int index = 0; index < count; index++) {
        switch (list[index].type) {
        case VAConfigAttribRateControl: list[index].value = is_hevc ? VA_RC_CQP | VA_RC_QVBR : VA_RC_CQP | VA_RC_CBR | VA_RC_MB; break;
        case VAConfigAttribMaxPictureWidth: list[index].value = is_hevc ? VA_ATTRIB_NOT_SUPPORTED : 4096; break;
        case VAConfigAttribMaxPictureHeight: list[index].value = is_hevc ? VA_ATTRIB_NOT_SUPPORTED : 2304; break;
        default: list[index].value = VA_ATTRIB_NOT_SUPPORTED;
        }
    }
    return VA_STATUS_SUCCESS;
}

/* libva looks for the newest name that it knows, and then for older ones down to this. */
__attribute__((visibility("default"))) VAStatus __vaDriverInit_1_0(VADriverContextP context) {
    if (is_asked_to("refuse")) return VA_STATUS_ERROR_HW_BUSY;
    if (is_asked_to("crash")) *(volatile int *)0 = 0;
    while (is_asked_to("hang")) pause();
    if (is_asked_to("talk")) printf("lab driver: hello\n");
    context->version_major = 1;
    context->version_minor = 0;
    context->max_profiles = 3;
    context->max_entrypoints = 2;
    context->max_attributes = 3;
    context->max_image_formats = context->max_subpic_formats = context->max_display_attributes = 1;
    context->str_vendor = "Lab VA driver";
    /* libva insists on most functions; a table of pointers is filled as one. */
    void **function = (void **)context->vtable;
    for (size_t index = 0; index < offsetof(struct VADriverVTable, reserved) / sizeof *function; index++) function[index] = (void *)not_here;
    context->vtable->vaTerminate = terminate;
    context->vtable->vaQueryConfigProfiles = profiles;
    context->vtable->vaQueryConfigEntrypoints = entrypoints;
    context->vtable->vaGetConfigAttributes = attributes;
    return VA_STATUS_SUCCESS;
}
