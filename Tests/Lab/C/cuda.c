/* Simulates NVIDIA's libcuda.so.1: "device memory" is plain memory. The functions that FFmpeg's NVENC uses work.
 * The other symbols that its loader requires return that they are not supported. */
#include "faults.h"

#include <ffnvcodec/dynlink_cuda.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAULTS getenv("SOFTNV_FAULTS")

enum { INVALID_DEVICE = 101, NOT_SUPPORTED = 801 };

/* Returns from the calling function if the file has a fault for this call. */
#define MAY_FAIL(call) \
    do { \
        const char *action_ = fault_of(FAULTS, call, ANY_GPU); \
        if (action_) return (CUresult)atoi(action_); \
    } while (0)

static int devices(void) { return (int)limit_of(FAULTS, "devices", ANY_GPU, 1); }

CUresult cuInit(unsigned flags) {
    (void)flags;
    MAY_FAIL("cuInit");
    return CUDA_SUCCESS;
}

CUresult cuDriverGetVersion(int *version) {
    *version = 12020;
    return CUDA_SUCCESS;
}

CUresult cuDeviceGetCount(int *count) {
    *count = devices();
    return CUDA_SUCCESS;
}

CUresult cuDeviceGet(CUdevice *device, int index) {
    if (index >= devices()) return INVALID_DEVICE;
    *device = index;
    return CUDA_SUCCESS;
}

CUresult cuDeviceGetAttribute(int *value, CUdevice_attribute attribute, CUdevice device) {
    (void)attribute, (void)device;
    *value = 512;
    return CUDA_SUCCESS;
}

CUresult cuDeviceGetName(char *name, int size, CUdevice device) {
    snprintf(name, (size_t)size, "Lab GPU %d", device);
    return CUDA_SUCCESS;
}

CUresult cuDeviceGetUuid(CUuuid *uuid, CUdevice device) {
    memset(uuid, device + 1, sizeof *uuid);
    return CUDA_SUCCESS;
}

CUresult cuDeviceComputeCapability(int *major, int *minor, CUdevice device) {
    (void)device;
    *major = 7;
    *minor = 5;
    return CUDA_SUCCESS;
}

CUresult cuCtxCreate_v2(CUcontext *context, unsigned flags, CUdevice device) {
    (void)flags, (void)device;
    MAY_FAIL("cuCtxCreate");
    *context = malloc(1);
    return CUDA_SUCCESS;
}

CUresult cuCtxDestroy_v2(CUcontext context) {
    free(context);
    return CUDA_SUCCESS;
}

CUresult cuCtxPushCurrent_v2(CUcontext context) {
    (void)context;
    MAY_FAIL("cuCtxPushCurrent");
    return CUDA_SUCCESS;
}

CUresult cuCtxPopCurrent_v2(CUcontext *context) {
    if (context) *context = NULL;
    return CUDA_SUCCESS;
}

CUresult cuCtxGetDevice(CUdevice *device) {
    *device = 0;
    return CUDA_SUCCESS;
}

static const struct {
    CUresult code;
    const char *name, *sentence;
} errors[] = {
    {2, "CUDA_ERROR_OUT_OF_MEMORY", "out of memory"},
    {100, "CUDA_ERROR_NO_DEVICE", "no CUDA-capable device is detected"},
    {719, "CUDA_ERROR_LAUNCH_FAILED", "unspecified launch failure"},
    {803, "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH", "system has unsupported display driver / cuda driver combination"},
};

static const char *words(CUresult code, int is_name) {
    for (size_t index = 0; index < sizeof errors / sizeof *errors; index++)
        if (errors[index].code == code) return is_name ? errors[index].name : errors[index].sentence;
    return is_name ? "CUDA_ERROR_UNKNOWN" : "unknown error";
}

CUresult cuGetErrorName(CUresult code, const char **text) {
    *text = words(code, 1);
    return CUDA_SUCCESS;
}

CUresult cuGetErrorString(CUresult code, const char **text) {
    *text = words(code, 0);
    return CUDA_SUCCESS;
}

#define MISSING(name) \
    CUresult name(void) { return NOT_SUPPORTED; }
MISSING(cuCtxSetLimit)
MISSING(cuDevicePrimaryCtxGetState)
MISSING(cuDevicePrimaryCtxRelease)
MISSING(cuDevicePrimaryCtxReset)
MISSING(cuDevicePrimaryCtxRetain)
MISSING(cuDevicePrimaryCtxSetFlags)
MISSING(cuMemAlloc_v2)
MISSING(cuMemAllocManaged)
MISSING(cuMemAllocPitch_v2)
MISSING(cuMemFree_v2)
MISSING(cuCtxGetCurrent)
MISSING(cuMemcpy)
MISSING(cuMemcpy2D_v2)
MISSING(cuMemcpy2DAsync_v2)
MISSING(cuMemcpyAsync)
MISSING(cuMemcpyDtoD_v2)
MISSING(cuMemcpyDtoDAsync_v2)
MISSING(cuMemcpyDtoH_v2)
MISSING(cuMemcpyDtoHAsync_v2)
MISSING(cuMemcpyHtoD_v2)
MISSING(cuMemcpyHtoDAsync_v2)
MISSING(cuMemsetD8Async)
MISSING(cuStreamAddCallback)
MISSING(cuStreamCreate)
MISSING(cuStreamDestroy_v2)
MISSING(cuStreamQuery)
MISSING(cuStreamSynchronize)
MISSING(cuStreamWaitEvent)
MISSING(cuEventCreate)
MISSING(cuEventDestroy_v2)
MISSING(cuEventQuery)
MISSING(cuEventRecord)
MISSING(cuEventSynchronize)
MISSING(cuLaunchKernel)
MISSING(cuLinkAddData)
MISSING(cuLinkComplete)
MISSING(cuLinkCreate)
MISSING(cuLinkDestroy)
MISSING(cuModuleGetFunction)
MISSING(cuModuleGetGlobal)
MISSING(cuModuleLoadData)
MISSING(cuModuleUnload)
MISSING(cuTexObjectCreate)
MISSING(cuTexObjectDestroy)
MISSING(cuGLGetDevices_v2)
MISSING(cuGraphicsGLRegisterImage)
MISSING(cuGraphicsMapResources)
MISSING(cuGraphicsResourceGetMappedPointer_v2)
MISSING(cuGraphicsSubResourceGetMappedArray)
MISSING(cuGraphicsUnmapResources)
MISSING(cuGraphicsUnregisterResource)
MISSING(cuArray3DCreate_v2)
MISSING(cuArrayCreate_v2)
MISSING(cuArrayDestroy)
