#include "camera.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/videodev2.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { BUFFERS = 4, PAGE = 4096, LOOK_MILLISECONDS = 3 };

struct camera {
    char *file;
    unsigned width, height, rate;
    /* Set by commands, read where questions are answered. */
    volatile gint is_gone, is_frozen;
    uint8_t *memory;
    size_t picture, stride;
    int is_streaming;
    unsigned queued[BUFFERS], count, sequence;
    gint64 due;
    /* Who waits for a picture, and since when. */
    UMockdevIoctlClient *waiting;
    struct v4l2_buffer *wanted;
    gint64 since;
};

/* umockdev blocks every signal while a question is open; the kernel would answer EINTR when one comes. */
static const gint64 longest_wait = 200000;

/* Grey bars that move with each picture. */
static void paint(const struct camera *camera, uint8_t *to) {
    for (unsigned y = 0; y < camera->height; y++)
        for (unsigned x = 0; x < camera->width; x++) {
            *to++ = (uint8_t)(32 + ((x + camera->sequence * 4) * 8 / camera->width + y * 4 / camera->height) % 8 * 24);
            *to++ = 128;
        }
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
    paint(camera, camera->memory + index * camera->stride);
    gint64 now = g_get_monotonic_time();
    memset(camera->wanted, 0, sizeof *camera->wanted);
    camera->wanted->index = index;
    camera->wanted->type = V4L2_BUF_TYPE_VIDEO_CAPTURE;
    camera->wanted->memory = V4L2_MEMORY_MMAP;
    camera->wanted->bytesused = camera->wanted->length = (uint32_t)camera->picture;
    camera->wanted->m.offset = (uint32_t)(index * camera->stride);
    camera->wanted->flags = V4L2_BUF_FLAG_MAPPED | V4L2_BUF_FLAG_DONE | V4L2_BUF_FLAG_TIMESTAMP_MONOTONIC;
    camera->wanted->field = V4L2_FIELD_NONE;
    camera->wanted->sequence = camera->sequence++;
    camera->wanted->timestamp.tv_sec = now / G_USEC_PER_SEC;
    camera->wanted->timestamp.tv_usec = now % G_USEC_PER_SEC;
    camera->due = MAX(camera->due + G_USEC_PER_SEC / camera->rate, now - G_USEC_PER_SEC);
    finish(camera, 0);
}

static gboolean look(gpointer context) {
    struct camera *camera = context;
    gint64 now = g_get_monotonic_time();
    if (!camera->waiting) return G_SOURCE_REMOVE;
    if (g_atomic_int_get(&camera->is_gone)) finish(camera, ENODEV);
    else if (!g_atomic_int_get(&camera->is_frozen) && camera->count > 0 && now >= camera->due) give_picture(camera);
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

/* The node is a plain file here, so that mapping it is the real thing. */
static int make_buffers(struct camera *camera, struct v4l2_requestbuffers *it) {
    if (it->memory != V4L2_MEMORY_MMAP) return EINVAL;
    it->count = MIN(it->count, BUFFERS);
    it->capabilities = V4L2_BUF_CAP_SUPPORTS_MMAP;
    camera->count = 0;
    if (camera->memory || it->count == 0) return 0;
    size_t size = BUFFERS * camera->stride;
    int file = open(camera->file, O_RDWR | O_CLOEXEC);
    if (file < 0 || ftruncate(file, (off_t)size) < 0) return ENOMEM;
    camera->memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    return camera->memory == MAP_FAILED ? ENOMEM : 0;
}

static int answer_capability(struct v4l2_capability *it) {
    memset(it, 0, sizeof *it);
    g_strlcpy((char *)it->driver, "uvcvideo", sizeof it->driver);
    g_strlcpy((char *)it->card, "Cam Link 4K", sizeof it->card);
    it->device_caps = V4L2_CAP_VIDEO_CAPTURE | V4L2_CAP_STREAMING;
    it->capabilities = it->device_caps | V4L2_CAP_DEVICE_CAPS;
    return 0;
}

static int answer_format(const struct camera *camera, struct v4l2_format *it) {
    if (it->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return EINVAL;
    memset(&it->fmt, 0, sizeof it->fmt);
    it->fmt.pix.width = camera->width;
    it->fmt.pix.height = camera->height;
    it->fmt.pix.pixelformat = V4L2_PIX_FMT_YUYV;
    it->fmt.pix.field = V4L2_FIELD_NONE;
    it->fmt.pix.bytesperline = camera->width * 2;
    it->fmt.pix.sizeimage = (uint32_t)camera->picture;
    it->fmt.pix.colorspace = V4L2_COLORSPACE_SRGB;
    return 0;
}

static int answer_listing(const struct camera *camera, unsigned long request, void *question) {
    if (request == VIDIOC_ENUM_FMT) {
        struct v4l2_fmtdesc *it = question;
        if (it->index > 0 || it->type != V4L2_BUF_TYPE_VIDEO_CAPTURE) return EINVAL;
        it->pixelformat = V4L2_PIX_FMT_YUYV;
        return 0;
    }
    if (request == VIDIOC_ENUM_FRAMESIZES) {
        struct v4l2_frmsizeenum *it = question;
        if (it->index > 0 || it->pixel_format != V4L2_PIX_FMT_YUYV) return EINVAL;
        it->type = V4L2_FRMSIZE_TYPE_DISCRETE;
        it->discrete.width = camera->width;
        it->discrete.height = camera->height;
        return 0;
    }
    struct v4l2_frmivalenum *it = question;
    if (it->index > 0 || it->width != camera->width || it->height != camera->height) return EINVAL;
    it->type = V4L2_FRMIVAL_TYPE_DISCRETE;
    it->discrete.numerator = 1;
    it->discrete.denominator = camera->rate;
    return 0;
}

static int answer_rate(const struct camera *camera, struct v4l2_streamparm *it) {
    memset(&it->parm, 0, sizeof it->parm);
    it->parm.capture.capability = V4L2_CAP_TIMEPERFRAME;
    it->parm.capture.timeperframe.numerator = 1;
    it->parm.capture.timeperframe.denominator = camera->rate;
    return 0;
}

static int answer_input(struct v4l2_input *it) {
    if (it->index > 0) return EINVAL;
    memset(it, 0, sizeof *it);
    g_strlcpy((char *)it->name, "HDMI", sizeof it->name);
    it->type = V4L2_INPUT_TYPE_CAMERA;
    return 0;
}

static int answer_buffer(const struct camera *camera, struct v4l2_buffer *it) {
    if (it->index >= BUFFERS) return EINVAL;
    it->length = (uint32_t)camera->picture;
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
    camera->is_streaming = is_on;
    camera->due = g_get_monotonic_time() + G_USEC_PER_SEC / camera->rate;
    if (!is_on) camera->count = 0;
    return 0;
}

static gboolean answer(UMockdevIoctlBase *base, UMockdevIoctlClient *client, gpointer context) {
    (void)base;
    struct camera *camera = context;
    unsigned long request = umockdev_ioctl_client_get_request(client) & 0xffffffffUL;
    UMockdevIoctlData *data = umockdev_ioctl_data_resolve(umockdev_ioctl_client_get_arg(client), 0, _IOC_SIZE(request), NULL);
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
        case VIDIOC_TRY_FMT: code = answer_format(camera, question); break;
        case VIDIOC_G_PARM:
        case VIDIOC_S_PARM: code = answer_rate(camera, question); break;
        case VIDIOC_ENUMINPUT: code = answer_input(question); break;
        case VIDIOC_G_INPUT: *(int *)question = 0; code = 0; break;
        case VIDIOC_S_INPUT: code = 0; break;
        case VIDIOC_G_STD:
        case VIDIOC_ENUMSTD: code = ENODATA; break;
        case VIDIOC_REQBUFS: code = make_buffers(camera, question); break;
        case VIDIOC_QUERYBUF: code = answer_buffer(camera, question); break;
        case VIDIOC_QBUF: code = queue(camera, question); break;
        case VIDIOC_STREAMON: code = stream(camera, 1); break;
        case VIDIOC_STREAMOFF: code = stream(camera, 0); break;
        case VIDIOC_DQBUF:
            code = wait_for_picture(camera, client, question);
            /* Answered later; the question's memory stays with the client. */
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

struct camera *camera_attach(UMockdevTestbed *testbed, const char *node, unsigned width, unsigned height, unsigned rate, GError **error) {
    /* What is replaced stays, for a thread of the testbed may still use it. */
    struct camera *camera = g_new0(struct camera, 1);
    gchar *root = umockdev_testbed_get_root_dir(testbed);
    camera->file = g_build_filename(root, node, NULL);
    g_free(root);
    camera->width = width;
    camera->height = height;
    camera->rate = rate;
    camera->picture = (size_t)width * height * 2;
    camera->stride = (camera->picture + PAGE - 1) / PAGE * PAGE;
    UMockdevIoctlBase *handler = umockdev_ioctl_base_new();
    g_signal_connect(handler, "handle-ioctl", G_CALLBACK(answer), camera);
    umockdev_testbed_attach_ioctl(testbed, node, handler, error);
    return camera;
}

void camera_pull(struct camera *camera) { g_atomic_int_set(&camera->is_gone, 1); }
void camera_freeze(struct camera *camera, int is_frozen) { g_atomic_int_set(&camera->is_frozen, is_frozen); }
