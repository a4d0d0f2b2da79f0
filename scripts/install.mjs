// npm's install script, also in the published package: builds the native part unless a finished one fits. Fetches nothing.
import { buildNative, isNativeBuilt, prebuildFits } from './lib/native.mjs';

if (!(await prebuildFits()) && !isNativeBuilt()) buildNative({ offline: true });
