/* A camera that gives YUYV pictures through V4L2's mapped buffers, to the real FFmpeg. */
#ifndef CAMERA_H
#define CAMERA_H

#include <umockdev.h>

struct camera;

/* Answers at a node from now on; a camera that was there before is replaced. */
struct camera *camera_attach(UMockdevTestbed *testbed, const char *node, unsigned width, unsigned height, unsigned rate, GError **error);

/* It was pulled: whoever has it open is told so. */
void camera_pull(struct camera *camera);

/* It gives no pictures any more, or gives them again, and says nothing. */
void camera_freeze(struct camera *camera, int is_frozen);

#endif
