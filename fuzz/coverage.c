/* Counts the branches that compiled modules take, for the fuzzer.
 *
 * gcc calls __sanitizer_cov_trace_pc at the beginning of every basic block. Each block gets an 8-bit counter when it is
 * first reached; libFuzzer (in atheris) takes the counters for its guidance, as it would those that clang makes.
 * Comparisons are handed on to libFuzzer, which learns from them what to write into inputs. This library is preloaded
 * before the address sanitizer's, which would swallow the calls.
 */
#include <stddef.h>
#include <stdint.h>

#define MOST (1u << 16)
#define SLOTS (MOST * 4)

static uint8_t counters[MOST];
static uintptr_t places[MOST][2]; /* as libFuzzer's table of instrumented places: address, flags */
static struct { uintptr_t pc; uint32_t number; } slots[SLOTS];
static uint32_t reached;

void __sanitizer_cov_trace_pc(void)
{
    uintptr_t pc = (uintptr_t)__builtin_return_address(0);
    uint32_t at = (uint32_t)((pc * 0x9E3779B97F4A7C15ull) >> 46);
    while (slots[at].pc != pc) {
        if (!slots[at].pc) {
            if (reached == MOST)
                return;
            places[reached][0] = pc;
            slots[at].number = reached++;
            slots[at].pc = pc;
            break;
        }
        at = (at + 1) % SLOTS;
    }
    uint8_t *counter = &counters[slots[at].number];
    *counter += 1;
    *counter += *counter == 0; /* never back to 0 */
}

uint8_t *fuzz_counters(void) { return counters; }
void *fuzz_places(void) { return places; }
uint32_t fuzz_most(void) { return MOST; }
uint32_t fuzz_reached(void) { return reached; }

/* Handed on to libFuzzer once `fuzz_hand_on` was told where its functions are. */
typedef void (*registers)(const void *, const void *);
static void nowhere(void) {}
static void *targets[11] = {nowhere, nowhere, nowhere, nowhere, nowhere, nowhere,
                            nowhere, nowhere, nowhere, nowhere, nowhere};

void fuzz_hand_on(void *const *functions)
{
    for (size_t i = 0; i < 11; i++)
        targets[i] = functions[i];
}

/* Tail calls: libFuzzer looks at the return address to tell one comparison from another. */
#define HAND_ON(number, name, type) \
    void __sanitizer_cov_trace_##name(type a, type b) { ((void (*)(type, type))targets[number])(a, b); }
HAND_ON(0, cmp1, uint8_t)
HAND_ON(1, cmp2, uint16_t)
HAND_ON(2, cmp4, uint32_t)
HAND_ON(3, cmp8, uint64_t)
HAND_ON(4, const_cmp1, uint8_t)
HAND_ON(5, const_cmp2, uint16_t)
HAND_ON(6, const_cmp4, uint32_t)
HAND_ON(7, const_cmp8, uint64_t)
void __sanitizer_cov_trace_switch(uint64_t value, uint64_t *cases)
{
    ((void (*)(uint64_t, uint64_t *))targets[8])(value, cases);
}
void __sanitizer_cov_trace_cmpf(float a, float b) { (void)a, (void)b; }
void __sanitizer_cov_trace_cmpd(double a, double b) { (void)a, (void)b; }
/* atheris registers the counters of Python code by these names. */
void __sanitizer_cov_8bit_counters_init(const void *begin, const void *end) { ((registers)targets[9])(begin, end); }
void __sanitizer_cov_pcs_init(const void *begin, const void *end) { ((registers)targets[10])(begin, end); }
