/* What Occlum's DCAP library exports, as occlum_dcap.h declares it, without an enclave behind it:
 * the quotes have the report data in its place and are otherwise empty. `mode` and `handles` are for
 * the tests: what shall go wrong, and how many handles are open. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define QUOTE_SIZE 4578
#define REPORT_DATA_AT 368

enum { GOOD, NO_DEVICE, NO_SIZE, HUGE, NO_QUOTE, OTHER_DATA };
int mode = GOOD;
int handles = 0;

void *dcap_quote_open(void) {
    if (mode == NO_DEVICE) return NULL;
    __atomic_add_fetch(&handles, 1, __ATOMIC_SEQ_CST);
    return malloc(1);
}

uint32_t dcap_get_quote_size(void *handle) {
    if (handle == NULL) abort();
    return mode == NO_SIZE ? 0 : mode == HUGE ? 1u << 31 : QUOTE_SIZE;
}

int32_t dcap_generate_quote(void *handle, uint8_t *quote, const uint8_t *report_data) {
    if (handle == NULL) abort();
    if (mode == NO_QUOTE) return -1;
    memset(quote, 0, QUOTE_SIZE);
    quote[0] = 3;
    memcpy(quote + REPORT_DATA_AT, report_data, 64);
    if (mode == OTHER_DATA) quote[REPORT_DATA_AT] ^= 1;
    return 0;
}

void dcap_quote_close(void *handle) {
    if (handle == NULL) abort();
    free(handle);
    __atomic_sub_fetch(&handles, 1, __ATOMIC_SEQ_CST);
}
