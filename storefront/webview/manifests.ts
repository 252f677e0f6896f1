/** The two texts that an app's project takes in: a part of AndroidManifest.xml, and of Info.plist. Whole XML documents, so that they can be checked. */

import type { PaymentApp } from './apps.ts';

/** A package, or a scheme, and the app it belongs to. */
export interface Declared {
  readonly key: string;
  readonly app: PaymentApp;
}

const escaped = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
/** The names have no two hyphens in a row, which would end it; a test sees to it. */
const remark = ({ ko, en }: PaymentApp): string => `<!-- ${ko === en ? ko : `${ko}, ${en}`} -->`;

/** @param scheme checked already */
export function androidManifest(scheme: string, packages: readonly Declared[]): string {
  const lines = packages.map(({ key, app }) => `        <package android:name="${escaped(key)}" /> ${remark(app)}`);
  return `<!-- AndroidManifest.xml: put <queries> and the intent-filter into your own. -->
<manifest xmlns:android="http://schemas.android.com/apk/res/android">
    <uses-permission android:name="android.permission.INTERNET" />
    <!-- From Android 11 on, an app sees only these others: without them "installed?" is always no. -->
    <queries>
${lines.join('\n')}
    </queries>
    <application>
        <!-- singleTask: a bank or card app comes back to the payment that waits, by onNewIntent. exported: a must from Android 12 on. -->
        <activity android:name=".MainActivity" android:exported="true" android:launchMode="singleTask">
            <intent-filter>
                <action android:name="android.intent.action.VIEW" />
                <category android:name="android.intent.category.DEFAULT" />
                <category android:name="android.intent.category.BROWSABLE" />
                <data android:scheme="${escaped(scheme)}" />
            </intent-filter>
        </activity>
    </application>
</manifest>
`;
}

/** @param left the schemes for which there was no room */
export function infoPlist(scheme: string, schemes: readonly Declared[], left: readonly Declared[]): string {
  const lines = schemes.map(({ key, app }) => `        <string>${escaped(key)}</string> ${remark(app)}`);
  const without = left.length > 0 ? `\n         No room for: ${left.map(({ key }) => key).join(', ')}.` : '';
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- Info.plist: put both keys into your own. -->
<plist version="1.0">
<dict>
    <key>CFBundleURLTypes</key>
    <array>
        <dict>
            <key>CFBundleTypeRole</key>
            <string>Editor</string>
            <key>CFBundleURLName</key>
            <string>$(PRODUCT_BUNDLE_IDENTIFIER)</string>
            <key>CFBundleURLSchemes</key>
            <array>
                <string>${escaped(scheme)}</string>
            </array>
        </dict>
    </array>
    <!-- For canOpenURL. Only 50 count, your other ones among them; opening needs none.${without} -->
    <key>LSApplicationQueriesSchemes</key>
    <array>
${lines.join('\n')}
    </array>
</dict>
</plist>
<!-- Cookies: PGs and card issuers set theirs in each other's frames. Since iOS 14 WKWebView blocks third-party cookies;
     HTTPCookieStorage does not reach a WKWebView, WKHTTPCookieStore does. See docs/webview.md. -->
`;
}
