/* Entry of the C tests: every linked test file has registered itself before this runs. */
#include "test.h"

int main(int argc, char **argv) {
    return test_main(argc, argv);
}
