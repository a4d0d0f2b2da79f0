// A program that does nothing but exit with 42, and needs nobody for that.
int main(void) { return 42; }
