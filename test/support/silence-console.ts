/** Import for its effect: silences `console.info` and `console.error` in a test file whose tests cause log lines on purpose. */

import { vi } from 'vitest';

vi.spyOn(console, 'info').mockReturnValue();
vi.spyOn(console, 'error').mockReturnValue();
