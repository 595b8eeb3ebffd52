#include "camera.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/usbdevice_fs.h>
#include <linux/videodev2.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BUFFERS = 4, PAGE = 4096, LOOK_MILLISECONDS = 3, MOST_MODES = 8, PIXEL_CLOCK = 40000000, ROUNDING = 120000 };

struct mode {
    uint32_t format;
    unsigned width, height, rate;
    /* Each frame has two fields, the top one first. */
    int is_interlaced;
};

static uint32_t field(const struct mode *mode) { return mode->is_interlaced ? V4L2_FIELD_INTERLACED : V4L2_FIELD_NONE; }

/* The timings of an HDMI input: one number, so that they change in one step. */
static unsigned packed(unsigned width, unsigned height) { return width << 16 | height; }

struct camera {
    char *file;
    struct mode modes[MOST_MODES], mode;
    unsigned mode_count;
    /* Compressed frames, and where each begins. */
    gchar *pictures;
    gsize *starts;
    unsigned picture_count;
    /* Set by commands, and read by the handler of ioctls. */
    volatile gint is_gone, is_frozen, is_busy, has_input, arriving, adopted, rounded;
    uint8_t *memory;
    size_t stride;
    int is_streaming;
    unsigned queued[BUFFERS], count, sequence;
    gint64 due;
    /* The client that waits for a frame, and since when. */
    UMockdevIoctlClient *waiting;
    struct v4l2_buffer *wanted;
    gint64 since;
};

/* umockdev blocks every signal during an ioctl, where the kernel would return EINTR. */
static const gint64 longest_wait = 200000;

static size_t largest_picture(const struct mode *mode) { return (size_t)mode->width * mode->height * 2; }

/* Draws grey bars that move with each frame. */
static uint8_t luma(const struct camera *camera, unsigned x, unsigned y) {
    unsigned moved = camera->sequence * 4 + (camera->mode.is_interlaced ? y % 2 * 2 : 0);
    return (uint8_t)(32 + ((x + moved) * 8 / camera->mode.width + y * 4 / camera->mode.height) % 8 * 24);
}

/* Returns the size in bytes. */
static size_t paint(const struct camera *camera, uint8_t *to) {
    const struct mode *mode = &camera->mode;
    size_t pixels = (size_t)mode->width * mode->height;
    if (mode->format == V4L2_PIX_FMT_MJPEG || mode->format == V4L2_PIX_FMT_H264) {
        unsigned index = camera->sequence % camera->picture_count;
        size_t size = camera->starts[index + 1] - camera->starts[index];
        memcpy(to, camera->pictures + camera->starts[index], size);
        return size;
    }
    int is_packed = mode->format != V4L2_PIX_FMT_NV12;
    for (unsigned y = 0; y < mode->height; y++)
        for (unsigned x = 0; x < mode->width; x++) {
            *to++ = luma(camera, x, y);
            if (is_packed) *to++ = 128;
        }
    if (is_packed) return pixels * 2;
    memset(to, 128, pixels / 2);
    return pixels * 3 / 2;
}

static void finish(struct camera *camera, int code) {
    UMockdevIoctlClient *client = camera->waiting;
    camera->waiting = NULL;
    umockdev_ioctl_client_complete(client, code ? -1 : 0, code);
    g_object_unref(client);
}

static void give_picture(struct camera *camera) {
    unsigned index = camera->queued[0];
    memmove(camera->queued, camera->queued + 1, --camera->count * sizeof camera->queued[0]);
    gint64 now = g_get_monotonic_time();
    memset(camera->wanted, 0, sizeof *camera->wanted);
    camera->wanted->index = index;
    camera->wanted->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    camera->wanted->memory = V4L2_MEMORY_MMAP;
    camera->wanted->bytesused = (uint32_t)paint(camera, camera->memory + index * camera->stride);
    camera->wanted->length = (uint32_t)largest_picture(&camera->mode);
    camera->wanted->m.offset = (uint32_t)(index * camera->stride);
    camera->wanted->flags = V4L2_BUF_FLAG_MAPPED | V4L2_BUF_FLAG_DONE | V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    camera->wanted->field = field(&camera->mode);
    camera->wanted->sequence = camera->sequence++;
    /* A card captures frames at even intervals, independent of when a client asks for them. */
    camera->wanted->timestamp.tv_sec = camera->due / G_USEC_PER_SEC;
    camera->wanted->timestamp.tv_usec = camera->due % G_USEC_PER_SEC;
    camera->due = MAX(camera->due + G_USEC_PER_SEC / camera->mode.rate, now - G_USEC_PER_SEC);
    finish(camera, 0);
}

/* An HDMI input delivers frames only while the signal is the one that it was configured for. */
static int gives(struct camera *camera) {
    return !g_atomic_int_get(&camera->is_frozen) &&
        g_atomic_int_get(&camera->arriving) == g_atomic_int_get(&camera->adopted);
}

static gboolean look(gpointer context) {
    struct camera *camera = context;
    gint64 now = g_get_monotonic_time();
    if (!camera->waiting) return G_SOURCE_REMOVE;
    if (g_atomic_int_get(&camera->is_gone)) finish(camera, ENODEV);
    else if (gives(camera) && camera->count > 0 && now >= camera->due) give_picture(camera);
    else if (now - camera->since > longest_wait) finish(camera, EINTR);
    return camera->waiting ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static int wait_for_picture(struct camera *camera, UMockdevIoctlClient *client, struct v4l2_buffer *buffer) {
    if (!camera->is_streaming) return EINVAL;
    camera->waiting = g_object_ref(client);
    camera->wanted = buffer;
    camera->since = g_get_monotonic_time();
    GSource *timer = g_timeout_source_new(LOOK_MILLISECONDS);
    g_source_set_callback(timer, look, camera, NULL);
    g_source_attach(timer, g_main_context_get_thread_default());
    g_source_unref(timer);
    return 0;
}

/* The node is a plain file here, so that clients really map it. */
static int make_buffers(struct camera *camera, struct v4l2_requestbuffers *it) {
    if (it->memory != V4L2_MEMORY_MMAP) return EINVAL;
    it->count = MIN(it->count, BUFFERS);
    it->capabilities = V4L2_BUF_CAP_SUPPORTS_MMAP;
    camera->count = 0;
    if (it->count == 0) return 0;
    size_t stride = (largest_picture(&camera->mode) + PAGE - 1) / PAGE * PAGE;
    if (camera->memory && camera->stride == stride) return 0;
    /* An earlier mapping is kept, because another thread may be drawing. */
    size_t size = BUFFERS * stride;
    int file = open(camera->file, O_RDWR | O_CLOEXEC);
    if (file < 0 || ftruncate(file, (off_t)size) < 0) return ENOMEM;
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    if (memory == MAP_FAILED) return ENOMEM;
    camera->memory = memory;
    camera->stride = stride;
    return 0;
}

static int answer_capability(struct v4l2_capability *it) {
    memset(it, 0, sizeof *it);
    g_strlcpy((char *)it->driver, "uvcvideo", sizeof it->driver);
    g_strlcpy((char *)it->card, "Cam Link 4K", sizeof it->card);
    it->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
    it->capabilities = it->device_caps | V4L2_CAP_DEVICE_CAPS;
    return 0;
}

/* The previous client may have ended during an ioctl: no frame of another size goes into its buffers. */
static void forget_buffers(struct camera *camera) {
    camera->count = 0;
    camera->is_streaming = 0;
}

/* As in a real driver: the requested mode if there is one, else the present mode. */
static void choose(struct camera *camera, const struct v4l2_pix_format *wish) {
    if (g_atomic_int_get(&camera->has_input)) return;
    for (unsigned i = 0; i < camera->mode_count; i++) {
        const struct mode *mode = &camera->modes[i];
        if (mode->format != wish->pixelformat || mode->width != wish->width || mode->height != wish->height) continue;
        forget_buffers(camera);
        camera->mode = *mode;
        return;
    }
}

static int answer_format(struct camera *camera, unsigned long request, struct v4l2_format *it) {
    if (it->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return EINVAL;
    if (request == VIDIOC_S_FMT) {
        if (g_atomic_int_get(&camera->is_busy)) return EBUSY;
        choose(camera, &it->fmt.pix);
    }
    const struct mode *mode = &camera->mode;
    memset(&it->fmt, 0, sizeof it->fmt);
    it->fmt.pix.width = mode->width;
    it->fmt.pix.height = mode->height;
    it->fmt.pix.pixelformat = mode->format;
    it->fmt.pix.field = field(mode);
    it->fmt.pix.bytesperline = mode->format == V4L2_PIX_FMT_YUYV ? mode->width * 2
        : mode->format == V4L2_PIX_FMT_NV12                      ? mode->width
                                                                 : 0;
    it->fmt.pix.sizeimage =
        (uint32_t)(mode->format == V4L2_PIX_FMT_NV12 ? largest_picture(mode) * 3 / 4 : largest_picture(mode));
    it->fmt.pix.colorspace = V4L2_COLORSPACE_SRGB;
    return 0;
}

/* Returns the entry at an index of a list without repetitions: the formats, the sizes of a format, or the rates of
 * a format and size. */
static const struct mode *nth(
    const struct camera *camera, unsigned index, uint32_t format, unsigned width, unsigned height) {
    for (unsigned i = 0; i < camera->mode_count; i++) {
        const struct mode *mode = &camera->modes[i];
        int fits = (!format || mode->format == format) && (!width || (mode->width == width && mode->height == height));
        int is_new = 1;
        for (unsigned j = 0; j < i && is_new; j++) {
            const struct mode *other = &camera->modes[j];
            int is_same = other->format == mode->format &&
                (!format || (other->width == mode->width && other->height == mode->height)) &&
                (!width || other->rate == mode->rate);
            if (is_same) is_new = 0;
        }
        if (fits && is_new && index-- == 0) return mode;
    }
    return NULL;
}

static int answer_listing(const struct camera *camera, unsigned long request, void *question) {
    const struct mode *mode;
    if (request == VIDIOC_ENUM_FMT) {
        struct v4l2_fmtdesc *it = question;
        if (it->type != V4L2_BUF_TYPE_VIDEO_CAPTURE || !(mode = nth(camera, it->index, 0, 0, 0))) return EINVAL;
        it->pixelformat = mode->format;
        return 0;
    }
    /* If the signal determines the size, the driver lists no sizes. */
    if (camera->has_input) return ENOTTY;
    if (request == VIDIOC_ENUM_FRAMESIZES) {
        struct v4l2_frmsizeenum *it = question;
        if (!(mode = nth(camera, it->index, it->pixel_format, 0, 0))) return EINVAL;
        it->type = V4L2_FRMSIZE_TYPE_DISCRETE;
        it->discrete.width = mode->width;
        it->discrete.height = mode->height;
        return 0;
    }
    struct v4l2_frmivalenum *it = question;
    if (!it->width || !(mode = nth(camera, it->index, it->pixel_format, it->width, it->height))) return EINVAL;
    it->type = V4L2_FRMIVAL_TYPE_DISCRETE;
    it->discrete.numerator = 1;
    it->discrete.denominator = mode->rate;
    return 0;
}

static int answer_rate(struct camera *camera, unsigned long request, struct v4l2_streamparm *it) {
    const struct v4l2_fract *wish = &it->parm.capture.timeperframe;
    for (unsigned i = 0; request == VIDIOC_S_PARM && i < camera->mode_count; i++) {
        const struct mode *mode = &camera->modes[i];
        int is_same = mode->format == camera->mode.format && mode->width == camera->mode.width &&
            mode->height == camera->mode.height;
        if (is_same && wish->numerator && mode->rate == wish->denominator / wish->numerator)
            camera->mode.rate = mode->rate;
    }
    memset(&it->parm, 0, sizeof it->parm);
    it->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
    it->parm.capture.timeperframe.numerator = 1;
    it->parm.capture.timeperframe.denominator = camera->mode.rate;
    return 0;
}

static int answer_input(struct camera *camera, struct v4l2_input *it) {
    if (it->index > 0) return EINVAL;
    memset(it, 0, sizeof *it);
    g_strlcpy((char *)it->name, "HDMI", sizeof it->name);
    it->type = V4L2_INPUT_TYPE_CAMERA;
    if (!g_atomic_int_get(&camera->has_input)) return 0;
    it->capabilities = V4L2_IN_CAP_DV_TIMINGS;
    if (!g_atomic_int_get(&camera->arriving)) it->status = V4L2_IN_ST_NO_SIGNAL;
    return 0;
}

static int answer_timings(struct camera *camera, unsigned long request, struct v4l2_dv_timings *it) {
    if (!g_atomic_int_get(&camera->has_input)) return ENOTTY;
    if (request == VIDIOC_S_DV_TIMINGS) {
        forget_buffers(camera);
        camera->mode.width = it->bt.width;
        camera->mode.height = it->bt.height;
        g_atomic_int_set(&camera->adopted, (gint)packed(it->bt.width, it->bt.height));
        /* As vivid does: the clock is rounded each time, and is that of the signal from then on. */
        g_atomic_int_add(&camera->rounded, ROUNDING);
        return 0;
    }
    int asks_now = request == VIDIOC_G_DV_TIMINGS;
    unsigned size = (unsigned)g_atomic_int_get(asks_now ? &camera->adopted : &camera->arriving);
    if (!asks_now && !size) return ENOLINK;
    memset(it, 0, sizeof *it);
    it->type = V4L2_DV_BT_656_1120;
    it->bt.width = size >> 16;
    it->bt.height = size & 0xffff;
    /* A receiver measures the clock, and gets a slightly different value each time. */
    it->bt.pixelclock =
        PIXEL_CLOCK - (uint64_t)g_atomic_int_get(&camera->rounded) + (uint64_t)g_random_int_range(0, 2000);
    return 0;
}

static int answer_buffer(const struct camera *camera, struct v4l2_buffer *it) {
    if (it->index >= BUFFERS) return EINVAL;
    it->length = (uint32_t)largest_picture(&camera->mode);
    it->m.offset = (uint32_t)(it->index * camera->stride);
    it->flags = V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    return 0;
}

static int queue(struct camera *camera, struct v4l2_buffer *it) {
    if (it->index >= BUFFERS || camera->count >= BUFFERS) return EINVAL;
    camera->queued[camera->count++] = it->index;
    it->flags = V4L2_BUF_FLAG_MAPPED | V4L2_BUF_FLAG_QUEUED | V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    return 0;
}

static int stream(struct camera *camera, int is_on) {
    if (is_on && g_atomic_int_get(&camera->arriving) != g_atomic_int_get(&camera->adopted)) return ENOLINK;
    camera->is_streaming = is_on;
    camera->due = g_get_monotonic_time() + G_USEC_PER_SEC / camera->mode.rate;
    if (!is_on) camera->count = 0;
    return 0;
}

static gboolean answer(UMockdevIoctlBase *base, UMockdevIoctlClient *client, gpointer context) {
    (void)base;
    struct camera *camera = context;
    unsigned long request = umockdev_ioctl_client_get_request(client) & 0xffffffffUL;
    UMockdevIoctlData *data =
        umockdev_ioctl_data_resolve(umockdev_ioctl_client_get_arg(client), 0, _IOC_SIZE(request), NULL);
    void *question = data ? data->data : NULL;
    int code = ENOTTY;
    if (g_atomic_int_get(&camera->is_gone) && request != VIDIOC_STREAMOFF) {
        code = ENODEV;
    } else if (question) {
        switch (request) {
        case VIDIOC_QUERYCAP: code = answer_capability(question); break;
        case VIDIOC_ENUM_FMT:
        case VIDIOC_ENUM_FRAMESIZES:
        case VIDIOC_ENUM_FRAMEINTERVALS: code = answer_listing(camera, request, question); break;
        case VIDIOC_G_FMT:
        case VIDIOC_S_FMT:
        case VIDIOC_TRY_FMT: code = answer_format(camera, request, question); break;
        case VIDIOC_G_PARM:
        case VIDIOC_S_PARM: code = answer_rate(camera, request, question); break;
        case VIDIOC_ENUMINPUT: code = answer_input(camera, question); break;
        case VIDIOC_G_INPUT: *(int *)question = 0; code = 0; break;
        case VIDIOC_S_INPUT: code = 0; break;
        case VIDIOC_G_STD:
        case VIDIOC_ENUMSTD: code = ENODATA; break;
        case VIDIOC_SUBSCRIBE_EVENT: code = g_atomic_int_get(&camera->has_input) ? 0 : ENOTTY; break;
        case VIDIOC_DQEVENT: code = ENOENT; break;
        case VIDIOC_QUERY_DV_TIMINGS:
        case VIDIOC_G_DV_TIMINGS:
        case VIDIOC_S_DV_TIMINGS: code = answer_timings(camera, request, question); break;
        case VIDIOC_REQBUFS: code = make_buffers(camera, question); break;
        case VIDIOC_QUERYBUF: code = answer_buffer(camera, question); break;
        case VIDIOC_QBUF: code = queue(camera, question); break;
        case VIDIOC_STREAMON: code = stream(camera, 1); break;
        case VIDIOC_STREAMOFF: code = stream(camera, 0); break;
        case VIDIOC_DQBUF:
            code = wait_for_picture(camera, client, question);
            /* Answered later. The memory of the ioctl stays with the client. */
            if (code == 0) {
                g_object_unref(data);
                return TRUE;
            }
            break;
        }
    }
    if (data) g_object_unref(data);
    umockdev_ioctl_client_complete(client, code ? -1 : 0, code);
    return TRUE;
}

static gboolean answer_usb(UMockdevIoctlBase *base, UMockdevIoctlClient *client, gpointer context) {
    (void)base;
    struct camera *camera = context;
    unsigned long request = umockdev_ioctl_client_get_request(client) & 0xffffffffUL;
    int code = request == USBDEVFS_RESET ? 0 : ENOTTY;
    if (code == 0) g_atomic_int_set(&camera->is_frozen, 0);
    umockdev_ioctl_client_complete(client, code ? -1 : 0, code);
    return TRUE;
}

static int read_modes(struct camera *camera, const char *text) {
    char **parts = g_strsplit(text, ",", MOST_MODES);
    for (char **part = parts; *part; part++) {
        struct mode *mode = &camera->modes[camera->mode_count];
        char name[5], scan = 'p';
        int count = sscanf(*part, "%4[^:]:%ux%u@%u%c", name, &mode->width, &mode->height, &mode->rate, &scan);
        if (count < 4 || mode->rate == 0) break;
        mode->is_interlaced = scan == 'i';
        mode->format = v4l2_fourcc(name[0], name[1], name[2], name[3]);
        camera->mode_count++;
    }
    g_strfreev(parts);
    camera->mode = camera->modes[0];
    return camera->mode_count > 0;
}

/* A JPEG frame begins with FF D8 FF. An H.264 frame begins with a delimiter, which the encoder was asked to write. */
static int read_pictures(struct camera *camera, const char *path) {
    static const char jpeg[] = {'\xff', '\xd8', '\xff'}, delimiter[] = {0, 0, 0, 1, 9};
    gsize size;
    if (!g_file_get_contents(path, &camera->pictures, &size, NULL)) return 0;
    int is_jpeg = size > sizeof jpeg && !memcmp(camera->pictures, jpeg, sizeof jpeg);
    const char *mark = is_jpeg ? jpeg : delimiter;
    size_t length = is_jpeg ? sizeof jpeg : sizeof delimiter;
    GArray *starts = g_array_new(FALSE, FALSE, sizeof(gsize));
    for (gsize at = 0; at + length < size; at++)
        if (!memcmp(camera->pictures + at, mark, length)) g_array_append_val(starts, at);
    camera->picture_count = starts->len;
    g_array_append_val(starts, size);
    camera->starts = (gsize *)(void *)g_array_free(starts, FALSE);
    return camera->picture_count > 0;
}

struct camera *camera_attach(
    UMockdevTestbed *testbed, const char *node, const char *modes, const char *file, GError **error) {
    /* A replaced camera is kept, because a thread of the testbed may still use it. */
    struct camera *camera = g_new0(struct camera, 1);
    gchar *root = umockdev_testbed_get_root_dir(testbed);
    camera->file = g_build_filename(root, node, NULL);
    g_free(root);
    if (!read_modes(camera, modes) || (file && !read_pictures(camera, file))) {
        g_set_error(
            error, G_FILE_ERROR, G_FILE_ERROR_INVAL, "no modes in %s, or no pictures in %s", modes,
            file ? file : "no file");
        return camera;
    }
    UMockdevIoctlBase *handler = umockdev_ioctl_base_new();
    g_signal_connect(handler, "handle-ioctl", G_CALLBACK(answer), camera);
    umockdev_testbed_attach_ioctl(testbed, node, handler, error);
    return camera;
}

void camera_attach_usb(UMockdevTestbed *testbed, const char *node, struct camera *camera, GError **error) {
    UMockdevIoctlBase *handler = umockdev_ioctl_base_new();
    g_signal_connect(handler, "handle-ioctl", G_CALLBACK(answer_usb), camera);
    umockdev_testbed_attach_ioctl(testbed, node, handler, error);
}

void camera_pull(struct camera *camera) { g_atomic_int_set(&camera->is_gone, 1); }
void camera_freeze(struct camera *camera, int is_frozen) { g_atomic_int_set(&camera->is_frozen, is_frozen); }
void camera_occupy(struct camera *camera, int is_busy) { g_atomic_int_set(&camera->is_busy, is_busy); }

void camera_receive(struct camera *camera, unsigned width, unsigned height) {
    g_atomic_int_set(&camera->has_input, 1);
    g_atomic_int_set(&camera->arriving, (gint)packed(width, height));
}
