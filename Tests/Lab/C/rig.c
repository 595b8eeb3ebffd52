/* Owns a umockdev testbed: simulated devices for the real libudev, libdrm and V4L2 of other processes. Started with
 * umockdev-wrapper. Its first line is the folder of the testbed. Then it reads one command per line from standard
 * input, and answers each with "ok" or "error WHY". It ends with its input.
 *
 *   load FILE                      adds the devices of a umockdev description, each with its "add" event
 *   set SYSPATH NAME VALUE         sets a udev property of later events
 *   event SYSPATH ACTION [COUNT]   sends so many events; umockdev aborts when more than about ten wait for a reader
 *   unplug SYSPATH                 sends the "remove" event, and removes the device
 *   video NODE capture|encoder|hung  answers V4L2 calls at a node, or hangs
 *   drm NODE DRIVER                answers with the name of a kernel driver at a DRM node
 *   gone NODE                      unplugs that GPU or camera: ENODEV for programs that have the node open
 *   camera NODE MODES [FILE]       attaches a camera; see camera.h
 *   usb NODE CAMERA                attaches a camera to its USB node; a reset there repairs it
 *   freeze NODE 0|1                stops its frames silently
 *   busy NODE 0|1                  lets another program use it
 *   hdmi NODE WIDTH HEIGHT         sets the signal at its input; 0 0 for none
 */
#include "camera.h"

#include <libdrm/drm.h>
#include <errno.h>
#include <linux/videodev2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <umockdev.h>

enum kind { CAPTURE, ENCODER, HUNG };

struct size {
    unsigned width, height;
    unsigned rates[2]; /* frames per second; 0 for none */
};

struct format {
    unsigned code;
    struct size sizes[2];
};

static const struct format card_formats[] = {
    {V4L2_PIX_FMT_YUYV, {{1280, 720, {60, 30}}, {1920, 1080, {30, 0}}}},
    {V4L2_PIX_FMT_NV12, {{1920, 1080, {60, 0}}, {0, 0, {0, 0}}}},
};

static int answer_capability(enum kind kind, struct v4l2_capability *it) {
    memset(it, 0, sizeof *it);
    snprintf((char *)it->driver, sizeof it->driver, kind == CAPTURE ? "uvcvideo" : "bcm2835-codec");
    snprintf((char *)it->card, sizeof it->card, kind == CAPTURE ? "Cam Link 4K" : "bcm2835-codec-encode");
    it->device_caps = V4L2_CAP_STREAMING | (kind == CAPTURE ? V4L2_CAP_VIDEO_CAPTURE : V4L2_CAP_VIDEO_M2M_MPLANE);
    it->capabilities = it->device_caps | V4L2_CAP_DEVICE_CAPS | V4L2_CAP_META_CAPTURE;
    return 0;
}

static int answer_format(enum kind kind, struct v4l2_fmtdesc *it) {
    if (kind == ENCODER) {
        if (it->type != V4L2_BUF_TYPE_VIDEO_CAPTURE_MPLANE || it->index > 0) return EINVAL;
        it->pixelformat = V4L2_PIX_FMT_H264;
        return 0;
    }
    if (it->type != V4L2_BUF_TYPE_VIDEO_CAPTURE || it->index >= G_N_ELEMENTS(card_formats)) return EINVAL;
    it->pixelformat = card_formats[it->index].code;
    return 0;
}

static const struct size *find_size(unsigned code, unsigned index, unsigned width, unsigned height) {
    for (size_t f = 0; f < G_N_ELEMENTS(card_formats); f++) {
        if (card_formats[f].code != code) continue;
        for (size_t s = 0; s < G_N_ELEMENTS(card_formats[f].sizes); s++) {
            const struct size *size = &card_formats[f].sizes[s];
            if (size->width == 0) continue;
            if (width ? size->width == width && size->height == height : s == index) return size;
        }
    }
    return NULL;
}

static int answer_frame_size(enum kind kind, struct v4l2_frmsizeenum *it) {
    const struct size *size = kind == CAPTURE && it->index < 2 ? find_size(it->pixel_format, it->index, 0, 0) : NULL;
    if (!size) return EINVAL;
    it->type = V4L2_FRMSIZE_TYPE_DISCRETE;
    it->discrete.width = size->width;
    it->discrete.height = size->height;
    return 0;
}

static int answer_frame_interval(enum kind kind, struct v4l2_frmivalenum *it) {
    const struct size *size =
        kind == CAPTURE && it->width ? find_size(it->pixel_format, 0, it->width, it->height) : NULL;
    if (!size || it->index >= 2 || size->rates[it->index] == 0) return EINVAL;
    it->type = V4L2_FRMIVAL_TYPE_DISCRETE;
    it->discrete.numerator = 1;
    it->discrete.denominator = size->rates[it->index];
    return 0;
}

static gboolean answer(UMockdevIoctlBase *base, UMockdevIoctlClient *client, gpointer context) {
    (void)base;
    enum kind kind = GPOINTER_TO_INT(context);
    if (kind == HUNG) {
        /* The caller waits indefinitely. */
        g_object_ref(client);
        return TRUE;
    }
    unsigned long request = umockdev_ioctl_client_get_request(client) & 0xffffffffUL;
    UMockdevIoctlData *data =
        umockdev_ioctl_data_resolve(umockdev_ioctl_client_get_arg(client), 0, _IOC_SIZE(request), NULL);
    int code = ENOTTY;
    if (data) {
        switch (request) {
        case VIDIOC_QUERYCAP: code = answer_capability(kind, (void *)data->data); break;
        case VIDIOC_ENUM_FMT: code = answer_format(kind, (void *)data->data); break;
        case VIDIOC_ENUM_FRAMESIZES: code = answer_frame_size(kind, (void *)data->data); break;
        case VIDIOC_ENUM_FRAMEINTERVALS: code = answer_frame_interval(kind, (void *)data->data); break;
        }
        g_object_unref(data);
    }
    umockdev_ioctl_client_complete(client, code ? -1 : 0, code);
    return TRUE;
}

/* DRM drivers by node. A replaced driver is kept, because a thread of the testbed may still use it. */
struct driver {
    char name[32];
    int is_gone;
};

static GHashTable *drivers, *cameras;

/* Copies a string to the buffer of the application, which allocates it once it knows the length. */
static void answer_text(UMockdevIoctlData *data, size_t offset, size_t room, const char *text) {
    if (room == 0) return;
    UMockdevIoctlData *place = umockdev_ioctl_data_resolve(data, offset, room, NULL);
    if (!place) return;
    memcpy(place->data, text, MIN(room, strlen(text)));
    g_object_unref(place);
}

static int answer_version(struct driver *driver, UMockdevIoctlData *data) {
    struct drm_version *it = (void *)data->data;
    const char *date = "20260101", *about = "lab";
    answer_text(data, offsetof(struct drm_version, name), it->name_len, driver->name);
    answer_text(data, offsetof(struct drm_version, date), it->date_len, date);
    answer_text(data, offsetof(struct drm_version, desc), it->desc_len, about);
    it->version_major = 1;
    it->name_len = strlen(driver->name);
    it->date_len = strlen(date);
    it->desc_len = strlen(about);
    return 0;
}

static gboolean answer_drm(UMockdevIoctlBase *base, UMockdevIoctlClient *client, gpointer context) {
    (void)base;
    struct driver *driver = context;
    unsigned long request = umockdev_ioctl_client_get_request(client) & 0xffffffffUL;
    int code = driver->is_gone ? ENODEV : EINVAL;
    if (!driver->is_gone && request == DRM_IOCTL_VERSION) {
        UMockdevIoctlData *data =
            umockdev_ioctl_data_resolve(umockdev_ioctl_client_get_arg(client), 0, sizeof(struct drm_version), NULL);
        if (data) code = answer_version(driver, data);
        if (data) g_object_unref(data);
    }
    umockdev_ioctl_client_complete(client, code ? -1 : 0, code);
    return TRUE;
}

static void attach_drm(UMockdevTestbed *testbed, const char *node, const char *name, GError **error) {
    if (g_hash_table_contains(drivers, node)) umockdev_testbed_detach_ioctl(testbed, node, NULL);
    struct driver *driver = g_new0(struct driver, 1);
    g_strlcpy(driver->name, name, sizeof driver->name);
    g_hash_table_insert(drivers, g_strdup(node), driver);
    UMockdevIoctlBase *handler = umockdev_ioctl_base_new();
    g_signal_connect(handler, "handle-ioctl", G_CALLBACK(answer_drm), driver);
    umockdev_testbed_attach_ioctl(testbed, node, handler, error);
}

static const char *run(UMockdevTestbed *testbed, char **words, guint count, GError **error) {
    struct camera *camera = count > 1 ? g_hash_table_lookup(cameras, words[1]) : NULL;
    if (count == 2 && !strcmp(words[0], "load")) {
        umockdev_testbed_add_from_file(testbed, words[1], error);
    } else if (count == 4 && !strcmp(words[0], "set")) {
        umockdev_testbed_set_property(testbed, words[1], words[2], words[3]);
    } else if ((count == 3 || count == 4) && !strcmp(words[0], "event")) {
        for (int left = count == 4 ? atoi(words[3]) : 1; left > 0; left--)
            umockdev_testbed_uevent(testbed, words[1], words[2]);
    } else if (count == 2 && !strcmp(words[0], "unplug")) {
        umockdev_testbed_uevent(testbed, words[1], "remove");
        umockdev_testbed_remove_device(testbed, words[1]);
    } else if (count == 3 && !strcmp(words[0], "video")) {
        UMockdevIoctlBase *handler = umockdev_ioctl_base_new();
        enum kind kind = !strcmp(words[2], "encoder") ? ENCODER : !strcmp(words[2], "hung") ? HUNG : CAPTURE;
        g_signal_connect(handler, "handle-ioctl", G_CALLBACK(answer), GINT_TO_POINTER(kind));
        umockdev_testbed_attach_ioctl(testbed, words[1], handler, error);
    } else if (count == 3 && !strcmp(words[0], "drm")) {
        attach_drm(testbed, words[1], words[2], error);
    } else if ((count == 3 || count == 4) && !strcmp(words[0], "camera")) {
        if (camera) umockdev_testbed_detach_ioctl(testbed, words[1], NULL);
        camera = camera_attach(testbed, words[1], words[2], words[3], error);
        g_hash_table_insert(cameras, g_strdup(words[1]), camera);
    } else if (count == 3 && !strcmp(words[0], "usb") && g_hash_table_contains(cameras, words[2])) {
        /* Removes the node of the camera that was in the port before, if there was one. */
        umockdev_testbed_detach_ioctl(testbed, words[1], NULL);
        camera_attach_usb(testbed, words[1], g_hash_table_lookup(cameras, words[2]), error);
    } else if (count == 3 && !strcmp(words[0], "freeze") && camera) {
        camera_freeze(camera, atoi(words[2]));
    } else if (count == 3 && !strcmp(words[0], "busy") && camera) {
        camera_occupy(camera, atoi(words[2]));
    } else if (count == 4 && !strcmp(words[0], "hdmi") && camera) {
        camera_receive(camera, (unsigned)atoi(words[2]), (unsigned)atoi(words[3]));
    } else if (count == 2 && !strcmp(words[0], "gone") && camera) {
        camera_pull(camera);
    } else if (count == 2 && !strcmp(words[0], "gone") && g_hash_table_contains(drivers, words[1])) {
        ((struct driver *)g_hash_table_lookup(drivers, words[1]))->is_gone = 1;
    } else {
        return "no such command";
    }
    return *error ? (*error)->message : NULL;
}

int main(void) {
    UMockdevTestbed *testbed = umockdev_testbed_new();
    drivers = g_hash_table_new(g_str_hash, g_str_equal);
    cameras = g_hash_table_new(g_str_hash, g_str_equal);
    printf("%s\n", umockdev_testbed_get_root_dir(testbed));
    fflush(stdout);
    char line[4096];
    while (fgets(line, sizeof line, stdin)) {
        char **words = g_strsplit(g_strchomp(line), " ", -1);
        GError *error = NULL;
        const char *problem = run(testbed, words, g_strv_length(words), &error);
        if (problem) printf("error %s\n", problem);
        else printf("ok\n");
        fflush(stdout);
        g_clear_error(&error);
        g_strfreev(words);
    }
    g_object_unref(testbed);
    return 0;
}
