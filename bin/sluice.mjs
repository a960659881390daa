#!/usr/bin/env node
import module from 'node:module';

// Compiled code is kept between commands where Node can (22 and later).
module.enableCompileCache?.();
// The AWS SDK's notice about Node 20 would stand in every command's output.
process.env['AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'] = 'true';
await import('../dist/client/main.js');
